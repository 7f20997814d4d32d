import { readFileSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { modules } from '../modules/registry.gen.ts'

const PREFIX = /^(?:[a-z]\w*\.)+/

/** Returns one module a line, with what it does. */
export function moduleList(): string {
  const distinct = [...new Set(modules.values())].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const width = Math.max(...distinct.map(module => module.name.length))
  return distinct.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}\n`).join('')
}

/**
 * Returns the page of one module.
 *
 * @throws UsageError BAD_ARGUMENT where there is no such module.
 */
export function modulePage(name: string): string {
  const module = modules.get(name.replace(PREFIX, ''))
  if (module === undefined) {
    const hint = didYouMean(name, modules.keys()) ?? 'run `msingi modules` for the list'
    throw new UsageError('BAD_ARGUMENT', `there is no module \`${name}\``, hint)
  }
  const page = readFileSync(new URL(`../../docs/modules/${module.name}.md`, import.meta.url), 'utf8')
  return page.replace(/^<!--.*?-->\s*/s, '')
}
