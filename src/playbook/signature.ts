import { join } from 'node:path'
import { didYouMean } from '../base/nearest.ts'
import type { Span } from '../base/span.ts'
import { asBoolean } from '../syntax/boolean.ts'
import { type Entry, get, type MapNode, type Node, plain, type ScalarNode } from '../syntax/node.ts'
import { firstFile } from './find.ts'
import { generate, readGenerate } from './generate.ts'
import type { RoleParam, Signature } from './model.ts'
import { AMOUNT_PATTERN, amountOf, checkParam } from './param-types.ts'
import { type Reading, report } from './reading.ts'
import { flag, holdsTemplate, isName, isNull, type Shape, shape, shown, text, words } from './shape.ts'

/** Keys of `role.yml`. */
export const SIGNATURE_KEYS: Readonly<Record<string, Shape>> = {
  summary: text,
  answers: words,
  supports: words,
  params: shape({ type: ['object', 'null'] }, node =>
    node.kind === 'map' || isNull(node)
      ? undefined
      : { at: node.at, message: `${shown(node)}, expected a map of parameters` },
  ),
}

/** Returns what the role says about itself in `role.yml`; Ansible's `defaults/main.yml` adds parameters of any type. */
export function readSignature(reading: Reading): Signature {
  const dir = reading.roleDir ?? ''
  const file = firstFile(dir, ['role'], reading)
  const declared = file === undefined ? undefined : readRoleFile(file, reading)
  const params = declared?.params ?? []
  const names = new Set(params.map(param => param.name))
  const defaults = readDefaults(dir, reading).filter(param => !names.has(param.name))
  return {
    file: file ?? join(dir, 'role.yml'),
    summary: declared?.summary ?? '',
    answers: declared?.answers ?? [],
    supports: declared?.supports ?? [],
    params: [...params, ...defaults],
  }
}

/** Tells whether the role has a signature of its own, so that a parameter it does not name is a mistake. */
export function hasSignature(signature: Signature, reading: Reading): boolean {
  return reading.sources.kindOf(signature.file) === 'file'
}

function readRoleFile(file: string, reading: Reading): Omit<Signature, 'file'> | undefined {
  const at: Span = { file, line: 1, col: 1, length: 1 }
  const node = reading.sources.parse(file, reading.onProblem, at)
  if (node === undefined) return undefined
  if (node.kind !== 'map') {
    report(reading, 'BAD_VALUE', node.at, `${shown(node)}, expected \`summary\`, \`params\` and the like`)
    return undefined
  }
  checkKeys(node, SIGNATURE_KEYS, 'a role', reading)
  const params = get(node, 'params')
  return {
    summary: textOf(get(node, 'summary')),
    answers: textsOf(get(node, 'answers')),
    supports: textsOf(get(node, 'supports')),
    params: params?.kind === 'map' ? params.entries.flatMap(entry => readParam(entry, reading) ?? []) : [],
  }
}

function checkKeys(
  map: MapNode,
  known: Readonly<Record<string, Shape>>,
  owner: string,
  reading: Reading,
): void {
  for (const { key, value } of map.entries) {
    const word = String(key.value)
    const shape = Object.hasOwn(known, word) ? known[word] : undefined
    const wrong = shape?.(value)
    if (shape === undefined) {
      const hint = word === 'description' ? 'Use `describe`.' : didYouMean(word, Object.keys(known))
      report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of ${owner}`, { hint })
    } else if (wrong)
      report(reading, 'BAD_VALUE', wrong.at, `\`${word}\` is ${wrong.message}`, { hint: wrong.hint })
  }
}

const TYPES: readonly RoleParam['type'][] = [
  'string',
  'integer',
  'number',
  'boolean',
  'list',
  'map',
  'path',
  'duration',
  'size',
  'any',
]

/** Ansible's words for types. */
const SAME_TYPE: Readonly<Record<string, RoleParam['type']>> = {
  str: 'string',
  int: 'integer',
  float: 'number',
  bool: 'boolean',
  dict: 'map',
  raw: 'any',
}

const type = shape({ enum: TYPES }, node => {
  const word = node.kind === 'scalar' ? node.text : ''
  if (TYPES.some(known => known === word)) return undefined
  const hint = Object.hasOwn(SAME_TYPE, word)
    ? `Write \`${SAME_TYPE[word] ?? ''}\`.`
    : (didYouMean(word, TYPES) ?? `Use one of ${TYPES.join(', ')}.`)
  return { at: node.at, message: `${shown(node)}, expected a type`, hint }
})

const list = shape({ type: 'array' }, node =>
  node.kind === 'list' ? undefined : { at: node.at, message: `${shown(node)}, expected a list` },
)

const bound = shape({ anyOf: [{ type: 'number' }, { type: 'string', pattern: AMOUNT_PATTERN }] }, node =>
  node.kind === 'scalar' && (typeof node.value === 'number' || amountOf(node.text) !== undefined)
    ? undefined
    : { at: node.at, message: `${shown(node)}, expected a number` },
)

/** Keys of a parameter in `role.yml`. */
export const PARAM_KEYS: Readonly<Record<string, Shape>> = {
  type,
  default: shape({}, () => undefined),
  default_file: text,
  min: bound,
  max: bound,
  choices: list,
  describe: text,
  secret: flag,
  generate,
  required: flag,
  merge: flag,
}

function readParam({ key, value }: Entry, reading: Reading): RoleParam | undefined {
  const name = String(key.value)
  if (!isName(name)) {
    const hint = 'Use letters, digits and `_` only, and begin with a letter or `_`.'
    report(reading, 'BAD_VALUE', key.at, `\`${name}\`, expected the name of a variable`, { hint })
    return undefined
  }
  if (value.kind !== 'map') {
    const hint = 'Write it as `{ type: string, describe: … }`.'
    report(reading, 'BAD_VALUE', value.at, `\`${name}\` is ${shown(value)}, expected a map`, { hint })
    return { ...anyParam(key), name }
  }
  checkKeys(value, PARAM_KEYS, 'a parameter', reading)
  const wanted = get(value, 'type')
  if (wanted === undefined) {
    report(reading, 'MISSING_KEYWORD', key.at, `the parameter \`${name}\` has no \`type\``, {
      hint: 'Add `type: string`, or what it is.',
    })
  }
  const param = paramOf(key, value)
  const brought = fileDefault(param, get(value, 'default_file'), reading)
  checkDefault({ ...param, ...brought }, get(value, 'required'), reading)
  checkGenerate(param, get(value, 'generate'), reading)
  return { ...param, ...brought }
}

/** A table of facts from outside is kept apart from the signature, where a person can renew it. */
function fileDefault(
  param: RoleParam,
  named: Node | undefined,
  reading: Reading,
): Pick<RoleParam, 'default' | 'defaultFile'> | undefined {
  if (named?.kind !== 'scalar') return undefined
  if (param.default !== undefined) {
    const message = `\`${param.name}\` has a \`default\` and a \`default_file\``
    report(reading, 'BAD_VALUE', named.at, message, { hint: 'Remove one of them.' })
    return undefined
  }
  const file = firstFile(reading.roleDir ?? '', [named.text], reading)
  if (file === undefined) {
    const hint = `Create \`${join(reading.roleDir ?? '', named.text)}\`, or correct the name.`
    report(reading, 'MISSING_FILE', named.at, `there is no file \`${named.text}\` in the role`, { hint })
    return undefined
  }
  return { default: reading.sources.parse(file, reading.onProblem, named.at), defaultFile: named.text }
}

function paramOf(key: ScalarNode, map: MapNode): RoleParam {
  const choices = get(map, 'choices')
  const required = get(map, 'required')
  const secret = get(map, 'secret')
  const merge = get(map, 'merge')
  return {
    name: String(key.value),
    type: TYPES.find(known => known === textOf(get(map, 'type'))) ?? 'any',
    required: required !== undefined && asBoolean(required) === true,
    secret: secret !== undefined && asBoolean(secret) === true,
    generate: readGenerate(get(map, 'generate')),
    merge: merge !== undefined && asBoolean(merge) === true,
    describe: textOf(get(map, 'describe')),
    default: get(map, 'default'),
    defaultFile: undefined,
    choices: choices?.kind === 'list' ? choices.items.map(plain) : undefined,
    min: boundOf(get(map, 'min')),
    max: boundOf(get(map, 'max')),
    at: key.at,
  }
}

function boundOf(node: Node | undefined): number | undefined {
  return node?.kind === 'scalar' ? amountOf(node.value) : undefined
}

function checkDefault(param: RoleParam, required: Node | undefined, reading: Reading): void {
  if (param.default === undefined) return
  if (param.required) {
    report(
      reading,
      'BAD_VALUE',
      required?.at ?? param.at,
      `\`${param.name}\` is required and has a default`,
      { hint: 'Remove one of them.' },
    )
  }
  if (holdsTemplate(param.default) || isNull(param.default)) return
  const wrong = checkParam(param, plain(param.default), textOf(param.default))
  if (wrong) report(reading, 'BAD_VALUE', param.default.at, `the default of \`${param.name}\` is ${wrong}`)
}

function checkGenerate(param: RoleParam, written: Node | undefined, reading: Reading): void {
  if (param.generate === undefined || written === undefined) return
  const wrong = [
    !param.secret && 'is made, and is not marked as a secret: add `secret: true`',
    param.type !== 'string' && `is made, and is of the type ${param.type}: expected \`type: string\``,
    (param.required || param.default !== undefined) &&
      'is made, and is required or has a default: remove one',
  ].find(message => message !== false)
  if (wrong) report(reading, 'BAD_VALUE', written.at, `\`${param.name}\` ${wrong}`)
}

function readDefaults(dir: string, reading: Reading): RoleParam[] {
  const file = firstFile(dir, ['defaults/main', 'defaults'], reading)
  if (file === undefined) return []
  const node = reading.sources.parse(file, reading.onProblem, { file, line: 1, col: 1, length: 1 })
  if (node === undefined || isNull(node)) return []
  if (node.kind === 'map') return node.entries.map(({ key, value }) => ({ ...anyParam(key), default: value }))
  report(reading, 'BAD_VALUE', node.at, `${shown(node)}, expected a map of variables`)
  return []
}

function anyParam(key: ScalarNode): RoleParam {
  return {
    name: String(key.value),
    type: 'any',
    required: false,
    secret: false,
    generate: undefined,
    merge: false,
    describe: '',
    default: undefined,
    defaultFile: undefined,
    choices: undefined,
    min: undefined,
    max: undefined,
    at: key.at,
  }
}

function textOf(node: Node | undefined): string {
  return node?.kind === 'scalar' ? node.text.trim() : ''
}

function textsOf(node: Node | undefined): string[] {
  if (node === undefined || isNull(node)) return []
  return (node.kind === 'list' ? node.items : [node]).map(textOf)
}
