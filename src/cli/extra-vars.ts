import { SourceError, UsageError } from '../base/error.ts'
import type { OnProblem } from '../base/error.ts'
import type { Sources } from '../syntax/files.ts'
import type { Entry, MapNode } from '../syntax/node.ts'
import { parseYaml } from '../syntax/parse.ts'
import type { Layer } from '../vars/scope.ts'

/** Variables of the command line, and their text for code frames. */
export interface ExtraVars {
  readonly layer: Layer | undefined
  readonly textOf: (file: string) => string | undefined
}

/**
 * Reads the values of `-e`: `key=text`, `key:=json`, `@file.yml` and `{json}`; a later one wins over an earlier.
 *
 * @throws UsageError where a value is none of these.
 */
export function readExtraVars(values: readonly string[], sources: Sources, onProblem: OnProblem): ExtraVars {
  const texts = new Map<string, string>()
  const entries = new Map<string, Entry>()
  for (const [index, value] of values.entries()) {
    const map = value.startsWith('@')
      ? fromFile(value.slice(1), sources, onProblem)
      : fromText(value, `-e ${index + 1}`, texts, onProblem)
    for (const entry of map?.entries ?? []) entries.set(String(entry.key.value), entry)
  }
  const at = { file: '-e', line: 1, col: 1, length: 1 }
  const vars: MapNode = { kind: 'map', entries: [...entries.values()], at }
  return {
    layer: entries.size === 0 ? undefined : { level: 'extra', origin: '-e', vars },
    textOf: file => texts.get(file),
  }
}

function fromFile(file: string, sources: Sources, onProblem: OnProblem): MapNode | undefined {
  const node = sources.parse(file, onProblem)
  if (node === undefined || node.kind === 'map') return node
  onProblem(new SourceError('BAD_VALUE', node.at, `a ${node.kind}, expected a map of variables`))
  return undefined
}

/** A value of the command line is YAML with a name of its own, so that whatever is wrong in it has a place. */
function fromText(
  value: string,
  name: string,
  texts: Map<string, string>,
  onProblem: OnProblem,
): MapNode | undefined {
  const text = value.startsWith('{') ? value : asYaml(value)
  texts.set(name, text)
  const node = parseYaml(text, name, onProblem)
  return node?.kind === 'map' ? node : undefined
}

function asYaml(value: string): string {
  const [, key, colon, text] = /^([A-Za-z_][\w.-]*)(:?)=(.*)$/s.exec(value) ?? []
  if (key === undefined || text === undefined) {
    throw new UsageError(
      'BAD_OPTION',
      `\`-e ${value}\` sets no variable`,
      'write `-e key=text`, `-e key:=json` or `-e @file.yml`',
    )
  }
  if (colon === '') return `${key}: ${JSON.stringify(text)}`
  try {
    JSON.parse(text)
  } catch {
    throw new UsageError('BAD_OPTION', `\`-e ${value}\`: what follows \`:=\` is no JSON`)
  }
  return `${key}: ${text}`
}
