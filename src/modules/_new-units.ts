import type { Change } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { unit, type Unit } from '../probes/unit.ts'
import type { Content, Foretold } from './module.ts'

/** A file of the wish. */
interface File {
  readonly path: string
  readonly content: Content
}

const UNIT_FILE =
  /^\/(?:etc|run|usr\/lib|lib)\/systemd\/system\/([^/@]+\.(?:service|socket|timer|path|mount|target|slice))$/

/** Returns what systemd will say of units whose files are new: loaded, not running, not enabled. */
export function newUnits(found: readonly Change[], files: readonly File[]): readonly Foretold[] {
  return files.flatMap(({ path, content }): Foretold[] => {
    const name = UNIT_FILE.exec(path)?.[1]
    const isNew = found.some(
      ({ kind, what, before }) => kind === 'content' && what === path && before === null,
    )
    const text = textOf(content)
    if (name === undefined || text === undefined || !isNew) return []
    return [[unit(name), stateOf(name, path, text)]]
  })
}

function stateOf(name: string, path: string, text: string): Unit {
  return {
    id: name,
    names: [name],
    load: 'loaded',
    active: 'inactive',
    sub: 'dead',
    file: /^\[Install\]/m.test(text) ? 'disabled' : 'static',
    needsReload: false,
    fragment: path,
    result: 'success',
    type: /^Type=(\w+)/m.exec(text)?.[1] ?? (name.endsWith('.service') ? 'simple' : ''),
    remainsAfterExit: /^RemainAfterExit=(yes|true|on|1)/m.test(text),
    sysv: null,
  }
}

function textOf(content: Content): string | undefined {
  if (content instanceof Secret) return undefined
  if (typeof content === 'string') return content
  return Buffer.from(content instanceof Uint8Array ? content : content.content()).toString('utf8')
}
