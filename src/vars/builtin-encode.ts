import { createHash } from 'node:crypto'
import { printYaml } from '../syntax/print.ts'
import type { Builtin } from './builtin.ts'
import { BadArgument, integerOf, mapOf, textOf } from './builtin.ts'
import { cryptSha512, saltOf } from './crypt.ts'
import { isMap } from './value.ts'

/** Functions that write values in other notations. */
export const encode: Readonly<Record<string, Builtin>> = {
  to_json: {
    params: ['value', 'indent?'],
    about: 'The value as JSON, on one line or indented by so many blanks.',
    call: toJson,
    examples: [{ template: '{{to_json (list 1 true)}}', cel: 'to_json([1, true])', gives: '[1,true]' }],
  },
  json: {
    params: ['value', 'indent?'],
    about: 'The same as `to_json`.',
    call: toJson,
    examples: [{ template: "{{json 'a'}}", cel: "json('a')", gives: '"a"' }],
  },
  from_json: {
    params: ['text'],
    about: 'The value that a JSON text spells.',
    call: fromJson,
    examples: [{ template: "{{from_json '[1]'}}", cel: "from_json('[1]')", gives: [1] }],
  },
  to_yaml: {
    params: ['value', 'indent?'],
    about:
      'The value as YAML that old and new readers understand alike, without a line break at the end; every line moved right by so many blanks.',
    call: toYaml,
    examples: [{ template: "{{to_yaml (dict a='yes')}}", cel: "to_yaml({'a': 'yes'})", gives: 'a: "yes"' }],
  },
  yaml: {
    params: ['value', 'indent?'],
    about: 'The same as `to_yaml`.',
    call: toYaml,
    examples: [{ template: '{{yaml (list 1)}}', cel: 'yaml([1])', gives: '- 1' }],
  },
  ini: {
    params: ['map'],
    about: 'A map as an INI file: values first, then a section for every map; a list repeats its key.',
    call: value => ini(mapOf(value)),
    examples: [
      {
        template: '{{ini (dict a=1 s=(dict b=2))}}',
        cel: "ini({'a': 1, 's': {'b': 2}})",
        gives: 'a = 1\n\n[s]\nb = 2\n',
      },
    ],
  },
  b64encode: {
    params: ['text'],
    about: 'The text in base64.',
    call: value => Buffer.from(textOf(value), 'utf8').toString('base64'),
    examples: [{ template: "{{b64encode 'a:b'}}", cel: "b64encode('a:b')", gives: 'YTpi' }],
  },
  b64decode: {
    params: ['text'],
    about: 'The UTF-8 text that base64 stands for.',
    call: value => b64decode(textOf(value)),
    examples: [{ template: "{{b64decode 'YTpi'}}", cel: "b64decode('YTpi')", gives: 'a:b' }],
  },
  urlencode: {
    params: ['text'],
    about: 'The text as a part of a URL.',
    call: value => encodeURIComponent(textOf(value)),
    examples: [{ template: "{{urlencode 'a b/c'}}", cel: "urlencode('a b/c')", gives: 'a%20b%2Fc' }],
  },
  sha256: digest('sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  sha512: digest(
    'sha512',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ),
  sha1: digest('sha1', 'a9993e364706816aba3e25717850c26c9cd0d89d'),
  md5: digest('md5', '900150983cd24fb0d6963f7d28e17f72'),
  password_hash: {
    params: ['password', 'salt'],
    about:
      'The password as `/etc/shadow` keeps it (SHA-512). The salt is any text that stays the same and differs between users, such as host and user name.',
    call: (password, salt) => cryptSha512(textOf(password), saltOf(textOf(salt))),
    examples: [
      {
        template: "{{password_hash 'Hello world!' 'saltstring'}}",
        cel: "password_hash('Hello world!', 'saltstring')",
        gives:
          '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
      },
    ],
  },
}

function toJson(value: unknown, indent: unknown): string {
  return JSON.stringify(value ?? null, undefined, indent === undefined ? 0 : integerOf(indent))
}

function fromJson(value: unknown): unknown {
  try {
    return JSON.parse(textOf(value)) as unknown
  } catch {
    throw new BadArgument('the text is no JSON')
  }
}

function toYaml(value: unknown, indent: unknown): string {
  const width = indent === undefined ? 0 : integerOf(indent)
  if (width < 0 || width > 100) throw new BadArgument('the width must be between 0 and 100')
  return printYaml(value)
    .replace(/\n$/, '')
    .replaceAll(/^(?=.)/gm, ' '.repeat(width))
}

function ini(map: Readonly<Record<string, unknown>>): string {
  const plain = Object.entries(map).filter(([, value]) => !isMap(value))
  const sections = Object.entries(map).flatMap(([name, value]) =>
    isMap(value) ? [section(name, value)] : [],
  )
  return [plain.flatMap(line).join(''), ...sections].filter(part => part !== '').join('\n')
}

function section(name: string, values: Readonly<Record<string, unknown>>): string {
  return `[${oneLine(name)}]\n${Object.entries(values).flatMap(line).join('')}`
}

function line([key, value]: readonly [string, unknown]): readonly string[] {
  const values = Array.isArray(value) ? value : [value]
  return values.map(item => `${oneLine(key)} = ${oneLine(textOf(item, `\`${key}\``))}\n`)
}

function oneLine(value: string): string {
  if (/[\r\n]/.test(value)) throw new BadArgument('a value of an INI file must be one line')
  return value
}

function b64decode(value: string): string {
  const compact = value.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw new BadArgument('the text is no base64')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(compact, 'base64'))
  } catch {
    throw new BadArgument('the base64 stands for bytes that are no UTF-8 text')
  }
}

function digest(algorithm: string, ofAbc: string): Builtin {
  return {
    params: ['text'],
    about: `The ${algorithm.toUpperCase()} sum of the text, in hexadecimal.`,
    call: value => createHash(algorithm).update(textOf(value), 'utf8').digest('hex'),
    examples: [{ template: `{{${algorithm} 'abc'}}`, cel: `${algorithm}('abc')`, gives: ofAbc }],
  }
}
