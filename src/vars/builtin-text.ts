import type { Builtin } from './builtin.ts'
import { BadArgument, integerOf, textOf } from './builtin.ts'
import { firstMatch, replaceMatches } from './pattern.ts'

/** Functions that work on text. */
export const text: Readonly<Record<string, Builtin>> = {
  lower: {
    params: ['text'],
    about: 'The text in lower case.',
    call: value => textOf(value).toLowerCase(),
    examples: [{ template: "{{lower 'Web'}}", cel: "lower('Web')", gives: 'web' }],
  },
  upper: {
    params: ['text'],
    about: 'The text in upper case.',
    call: value => textOf(value).toUpperCase(),
    examples: [{ template: "{{upper 'web'}}", cel: "upper('web')", gives: 'WEB' }],
  },
  capitalize: {
    params: ['text'],
    about: 'The text with its first letter in upper case.',
    call: value => textOf(value).replace(/^./u, letter => letter.toUpperCase()),
    examples: [{ template: "{{capitalize 'web'}}", cel: "capitalize('web')", gives: 'Web' }],
  },
  trim: {
    params: ['text'],
    about: 'The text without blanks and line breaks at both ends.',
    call: value => textOf(value).trim(),
    examples: [{ template: "{{trim ' a '}}", cel: "trim(' a ')", gives: 'a' }],
  },
  replace: {
    params: ['text', 'old', 'new'],
    about: 'The text with every occurrence of one text replaced by another.',
    call: (value, old, by) => textOf(value).replaceAll(textOf(old), () => textOf(by)),
    examples: [
      { template: "{{replace 'a.b.c' '.' '-'}}", cel: "replace('a.b.c', '.', '-')", gives: 'a-b-c' },
    ],
  },
  regex_replace: {
    params: ['text', 'pattern', 'new'],
    about:
      'The text with every match of a JavaScript pattern replaced; `$1` or `\\1` stands for the first group.',
    call: (value, pattern, by) => regexReplace(textOf(value), textOf(pattern), textOf(by)),
    examples: [
      {
        template: "{{regex_replace 'db1.example.org' '\\..*$' ''}}",
        cel: "regex_replace('db1.example.org', '\\\\..*$', '')",
        gives: 'db1',
      },
      { template: "{{regex_replace 'a=1' '(\\w)=(\\d)' '\\2=\\1'}}", gives: '1=a' },
    ],
  },
  regex_search: {
    params: ['text', 'pattern', 'group?'],
    about: 'What a JavaScript pattern matches first, or one group of it; empty where nothing matches.',
    call: (value, pattern, group) => regexSearch(textOf(value), textOf(pattern), group),
    examples: [
      {
        template: "{{regex_search 'nginx 1.24.0' '[0-9.]+'}}",
        cel: "regex_search('nginx 1.24.0', '[0-9.]+')",
        gives: '1.24.0',
      },
      { template: "{{regex_search 'uid=33(www)' 'uid=(\\d+)' 1}}", gives: '33' },
    ],
  },
  starts_with: {
    params: ['text', 'start'],
    about: 'Whether the text begins with another. Conditions also have `text.startsWith(start)`.',
    call: (value, start) => textOf(value).startsWith(textOf(start)),
    examples: [{ template: "{{starts_with 'web1' 'web'}}", cel: "starts_with('web1', 'web')", gives: true }],
  },
  ends_with: {
    params: ['text', 'end'],
    about: 'Whether the text ends with another. Conditions also have `text.endsWith(end)`.',
    call: (value, end) => textOf(value).endsWith(textOf(end)),
    examples: [
      { template: "{{ends_with 'a.conf' '.conf'}}", cel: "ends_with('a.conf', '.conf')", gives: true },
    ],
  },
  split: {
    params: ['text', 'separator?'],
    about: 'The parts of a text as a list; without a separator the words.',
    call: (value, separator) => split(textOf(value), separator),
    examples: [
      { template: "{{split 'a,b' ','}}", cel: "split('a,b', ',')", gives: ['a', 'b'] },
      { template: "{{split ' a  b '}}", cel: "split(' a  b ')", gives: ['a', 'b'] },
    ],
  },
  indent: {
    params: ['text', 'width?', 'first?'],
    about:
      'The text with every line but the first moved right, by 4 blanks if no width is given; `first=true` moves that line too.',
    call: (value, width, first) =>
      indent(textOf(value), width === undefined ? 4 : integerOf(width), first === true),
    examples: [
      { template: "{{indent 'a\nb' 2}}", cel: "indent('a\\nb', 2)", gives: 'a\n  b' },
      { template: "{{indent 'a\nb' width=2 first=true}}", gives: '  a\n  b' },
    ],
  },
  comment: {
    params: ['text', 'prefix?'],
    about: 'The text with `# `, or the prefix, before every line.',
    call: (value, prefix) => comment(textOf(value), prefix === undefined ? '# ' : textOf(prefix)),
    examples: [{ template: "{{comment 'a\nb'}}", cel: "comment('a\\nb')", gives: '# a\n# b' }],
  },
  quote: {
    params: ['value'],
    about: 'One word of a shell command line; every value of a list becomes a word.',
    call: value =>
      Array.isArray(value) ? value.map(item => quote(textOf(item))).join(' ') : quote(textOf(value)),
    examples: [{ template: '{{quote "it\'s"}}', cel: 'quote("it\'s")', gives: `'it'\\''s'` }],
  },
  systemd_escape: {
    params: ['text', 'path?'],
    about:
      'The text as part of a systemd unit name, as `systemd-escape` gives it; `path=true` for a file path.',
    call: (value, path) => systemdEscape(textOf(value), path === true),
    examples: [
      {
        template: "{{systemd_escape '/srv/my data' path=true}}",
        cel: "systemd_escape('/srv/my data', true)",
        gives: 'srv-my\\x20data',
      },
    ],
  },
}

/** Returns the text as one word of a shell command line. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function regexReplace(value: string, pattern: string, by: string): string {
  const replacement = by.replaceAll(/\\(\d)/g, '$$$1')
  return replaceMatches(value, pattern, replacement)
}

function regexSearch(value: string, pattern: string, group: unknown): string {
  const match = firstMatch(value, pattern)
  if (!match) return ''
  const index = group === undefined ? 0 : integerOf(group, 'the group')
  if (index < 0 || index >= match.length) throw new BadArgument(`the pattern has no group ${index}`)
  return match[index] ?? ''
}

function split(value: string, separator: unknown): readonly string[] {
  if (separator === undefined) return value.split(/\s+/).filter(word => word !== '')
  const mark = textOf(separator, 'the separator')
  if (mark === '') throw new BadArgument('the separator must not be empty')
  return value === '' ? [] : value.split(mark)
}

function indent(value: string, width: number, first: boolean): string {
  if (width < 0 || width > 100) throw new BadArgument('the width must be between 0 and 100')
  const lines = value.split('\n')
  return lines
    .map((line, index) => ((index > 0 || first) && line !== '' ? ' '.repeat(width) + line : line))
    .join('\n')
}

function comment(value: string, prefix: string): string {
  const lines = value.replace(/\n$/, '').split('\n')
  return lines.map(line => (prefix + line).trimEnd()).join('\n') + (value.endsWith('\n') ? '\n' : '')
}

/** See systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
function systemdEscape(value: string, isPath: boolean): string {
  const name = isPath ? value.replaceAll(/\/+/g, '/').replaceAll(/^\/|\/$/g, '') : value
  if (isPath && name === '') return '-'
  const bytes = Buffer.from(name, 'utf8')
  return Array.from(bytes, (byte, index) => {
    const char = String.fromCharCode(byte)
    if (char === '/') return '-'
    return /[A-Za-z0-9:_]/.test(char) || (char === '.' && index > 0)
      ? char
      : `\\x${byte.toString(16).padStart(2, '0')}`
  }).join('')
}
