import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ZodError } from 'zod'
import { TaskError } from '../../src/base/error.ts'
import type { Change } from '../../src/base/result.ts'
import type { AnyModule, HostView } from '../../src/modules/module.ts'
import { modules } from '../../src/modules/registry.gen.ts'
import type { Probes, Resource } from '../../src/probes/probe.ts'
import { casesIn, readCase, REWRITES, rewriteCase, type CaseFile } from '../support/cases.ts'
import { toPlain } from '../support/plain.ts'
import { readState } from '../support/state.ts'

const ROOT: HostView = { name: 'server', user: 'root', uid: 0 }
/** What a case expects, in the order it is written in. */
const EXPECTATIONS = [
  'refuses',
  'changes',
  'actions',
  'touches',
  'brings',
  'checkable',
  'verifiable',
  'result',
]

describe('modules/cases', () => {
  for (const file of casesIn(join(import.meta.dirname))) {
    test(`${file.group}: ${file.name.replaceAll('-', ' ')}`, async () => {
      const module = modules.get(file.group)
      if (!module) throw new Error(`no module is named \`${file.group}\`; run \`npm run gen\``)
      const found = outcome(module, file)
      if (REWRITES)
        await rewriteCase(file, Object.fromEntries(EXPECTATIONS.map(key => [key, Reflect.get(found, key)])))
      const wanted = readCase(file)

      expect(found).toEqual(
        Object.fromEntries(EXPECTATIONS.filter(key => key in wanted).map(key => [key, wanted[key]])),
      )
    })
  }
})

/** Returns all that the module says about the case, without what needs no saying. */
function outcome(module: AnyModule, file: CaseFile): object {
  const written = readCase(file)
  try {
    const params = module.params.parse(written['params'] ?? {})
    const probes = module.probe(params, { ...ROOT, ...(written['user'] as object | undefined) }) as Probes
    const state = readState(probes, (written['state'] ?? {}) as Record<string, unknown>)
    const changes = module.diff(params, state) as readonly Change[]
    const actions = changes.length === 0 ? [] : module.apply(changes, params, state)
    foretells(module, params, state, changes)
    return toPlain({
      changes,
      actions,
      touches: names(changes.length > 0 ? module.touches?.(changes, params) : undefined),
      brings: names(changes.length > 0 ? module.brings?.(changes, params) : undefined),
      checkable: (module.checkable?.(params) ?? true) ? undefined : false,
      verifiable: (module.verifiable?.(params, changes) ?? true) ? undefined : false,
      result: module.result?.(params, state, changes),
    }) as object
  } catch (error) {
    if (error instanceof TaskError) return { refuses: error.code }
    if (error instanceof ZodError) return { refuses: 'BAD_PARAM' }
    throw error
  }
}

/** What a module says will be must leave nothing to do. */
function foretells(
  module: AnyModule,
  params: unknown,
  state: Record<string, unknown>,
  changes: readonly Change[],
): void {
  if (!module.expect || !(module.verifiable?.(params, changes) ?? true)) return
  const after = { ...state, ...module.expect(params, state) }

  const left = (module.diff(params, after) as readonly Change[]).filter(
    change => module.verifiable?.(params, [change]) ?? true,
  )

  expect(toPlain(left), 'changes left after what `expect` foretells').toEqual([])
}

function names(resources: readonly Resource[] | undefined): readonly string[] | undefined {
  return resources && resources.length > 0 ? resources.map(({ kind, name }) => `${kind} ${name}`) : undefined
}
