import { posix } from 'node:path'
import type { Builtin } from './builtin.ts'
import { BadArgument, textOf } from './builtin.ts'

/** Functions that work on paths of hosts, versions and instants. */
export const path: Readonly<Record<string, Builtin>> = {
  basename: {
    params: ['path'],
    about: 'The last part of a path.',
    call: value => posix.basename(textOf(value)),
    examples: [{ template: "{{basename '/etc/fstab'}}", cel: "basename('/etc/fstab')", gives: 'fstab' }],
  },
  dirname: {
    params: ['path'],
    about: 'The path without its last part.',
    call: value => posix.dirname(textOf(value)),
    examples: [{ template: "{{dirname '/etc/fstab'}}", cel: "dirname('/etc/fstab')", gives: '/etc' }],
  },
  extname: {
    params: ['path'],
    about: 'The extension of a path, with its dot.',
    call: value => posix.extname(textOf(value)),
    examples: [{ template: "{{extname 'a.tar.gz'}}", cel: "extname('a.tar.gz')", gives: '.gz' }],
  },
  path_join: {
    params: ['part', 'more…'],
    about: 'One path of several parts.',
    call: (...parts) => posix.join(...parts.map(part => textOf(part))),
    examples: [
      {
        template: "{{path_join '/srv' 'app/' 'etc'}}",
        cel: "path_join('/srv', 'app/', 'etc')",
        gives: '/srv/app/etc',
      },
    ],
  },
  version: {
    params: ['a', 'operator', 'b'],
    about:
      'Whether two versions stand in an order, counted as Debian does: `1.10` is later than `1.9`, `2.0~rc1` and `2.0-rc1` earlier than `2.0`.',
    call: (a, operator, b) => inOrder(compareVersions(textOf(a), textOf(b)), textOf(operator)),
    examples: [
      { template: "{{version '1.10' '>' '1.9'}}", cel: "version('1.10', '>', '1.9')", gives: true },
      { template: "{{version '2.0-rc1' '>=' '2.0'}}", gives: false },
    ],
  },
  date: {
    params: ['instant', 'format?'],
    about:
      'An instant, seconds since 1970 or ISO 8601, as UTC text; `%Y %m %d %H %M %S %j %s` as `date` knows them. There is no "now": a text that changes by itself would never be unchanged.',
    call: (instant, format) => date(instant, format === undefined ? '%Y-%m-%dT%H:%M:%SZ' : textOf(format)),
    examples: [
      { template: "{{date 0 '%Y-%m-%d'}}", cel: "date(0, '%Y-%m-%d')", gives: '1970-01-01' },
      { template: "{{date '2024-05-06T07:08:09Z' '%d.%m.%Y %H:%M'}}", gives: '06.05.2024 07:08' },
    ],
  },
}

/** Returns how two versions stand to each other; see deb-version(7). A semantic pre-release counts as `~`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)]
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

interface Version {
  readonly epoch: number
  readonly upstream: string
  readonly revision: string
}

function versionParts(version: string): Version {
  const text = version
    .trim()
    .replace(/^v(?=\d)/, '')
    .replace(/-(?=(alpha|beta|rc|pre|dev)\b|(alpha|beta|rc|pre|dev)[.\d])/i, '~')
  const match = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/.exec(text)
  return { epoch: Number(match?.[1] ?? 0), upstream: match?.[2] ?? '', revision: match?.[3] ?? '' }
}

function compareParts(a: string, b: string): number {
  const [left, right] = [tokens(a), tokens(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x = '', y = ''] = [left[i], right[i]]
    const order = i % 2 === 0 ? compareWords(x, y) : compareDigits(x, y)
    if (order !== 0) return order
  }
  return 0
}

/** Words and digits in turn, beginning with a word. */
function tokens(text: string): readonly string[] {
  return Array.from(text.matchAll(/(\D*)(\d*)/g)).flatMap(([, word = '', digits = '']) => [word, digits])
}

function compareDigits(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0)
}

/** `~` comes before the end, letters before everything else. */
function compareWords(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a[i]) - rank(b[i])
    if (order !== 0) return order
  }
  return 0
}

function rank(char: string | undefined): number {
  if (char === undefined) return 0
  if (char === '~') return -1
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256
}

function inOrder(order: number, operator: string): boolean {
  const tests: Readonly<Record<string, boolean>> = {
    '<': order < 0,
    '<=': order <= 0,
    '==': order === 0,
    '=': order === 0,
    '!=': order !== 0,
    '>=': order >= 0,
    '>': order > 0,
  }
  const word = { lt: '<', le: '<=', eq: '==', ne: '!=', ge: '>=', gt: '>' }[operator] ?? operator
  const result = Object.hasOwn(tests, word) ? tests[word] : undefined
  if (result === undefined)
    throw new BadArgument(`\`${operator}\` is no order, expected one of < <= == != >= >`)
  return result
}

function date(instant: unknown, format: string): string {
  const at = typeof instant === 'number' ? new Date(instant * 1000) : new Date(isoOf(textOf(instant)))
  if (Number.isNaN(at.getTime())) throw new BadArgument('the instant must be seconds since 1970 or ISO 8601')
  const iso = at.toISOString()
  const day = Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0)) / 86_400_000) + 1
  const parts: Readonly<Record<string, string>> = {
    Y: iso.slice(0, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    H: iso.slice(11, 13),
    M: iso.slice(14, 16),
    S: iso.slice(17, 19),
    j: String(day).padStart(3, '0'),
    s: String(Math.floor(at.getTime() / 1000)),
    '%': '%',
  }
  return format.replaceAll(/%(.)/g, (_, letter: string) => {
    const part = Object.hasOwn(parts, letter) ? parts[letter] : undefined
    if (part === undefined) throw new BadArgument(`\`%${letter}\` is not known`)
    return part
  })
}

/** Only what is unmistakable: a date, or a date with time and zone. */
function isoOf(text: string): string {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) ? text : 'no date'
}
