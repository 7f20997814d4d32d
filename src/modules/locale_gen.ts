import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { locales } from '../probes/locales.ts'
import { readable } from '../probes/checksum.ts'
import { text as textOf } from '../probes/text.ts'
import { lines, sh } from '../shell/sh.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { rowsOf } from './_line-edit.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const FILE: EditWish = { path: '/etc/locale.gen', create: true, backup: false }
const SUPPORTED = '/usr/share/i18n/SUPPORTED'

const name = z.string().regex(/^[A-Za-z]{2,}[\w.@-]*$/, 'a name such as `en_GB.UTF-8` expected')
const params = z.strictObject({
  name: z
    .union([name, z.array(name).min(1)])
    .transform(given => [given].flat())
    .describe('Locale, such as `en_GB.UTF-8`, or a list of them.'),
  state: z.enum(['present', 'absent']).default('present').describe('Whether the host should have them.'),
})
type Params = z.output<typeof params>

export const locale_gen = defineModule({
  name: 'locale_gen',
  summary: 'Makes locales, on Debian and its like.',
  examples: ['- name: Speak Swahili\n  locale_gen:\n    name: [en_GB.UTF-8, sw_KE]\n'],
  deviations: [
    '`/etc/locale.gen` and what `locale -a` lists are both compared; Ansible looks at the latter alone.',
  ],
  params,
  probe: () => ({ ...editQuestions(FILE), supported: textOf(SUPPORTED), made: locales(null) }),
  diff: (wish, state): readonly Change[] => {
    const known = readable(state.supported)?.text
    if (known === undefined) {
      throw new TaskError(
        'LOCALES_MISSING',
        `\`${SUPPORTED}\` is not there`,
        'install the package `locales` first',
      )
    }
    const strange = wish.name.find(one => lineOf(one, known) === undefined)
    if (strange !== undefined)
      throw new TaskError('LOCALE_UNKNOWN', `the host knows no locale \`${strange}\``)
    const isPresent = wish.state === 'present'
    return [
      ...editDiff(FILE, state, edited(wish, state, known), false),
      ...wish.name
        .filter(one => state.made.includes(canonical(one)) !== isPresent)
        .map(one => ({
          kind: 'locale',
          what: one,
          before: isPresent ? 'absent' : 'present',
          after: wish.state,
        })),
    ]
  },
  apply: (found, wish, state) => {
    const file = found.filter(({ kind }) => kind !== 'locale')
    const text = edited(wish, state, readable(state.supported)?.text ?? '')
    return [
      ...(file.length > 0 ? editActions(file, FILE, state, text, false) : []),
      { do: 'run', script: lines(needs('locale-gen', 'locales'), sh`locale-gen`) },
    ]
  },
  expect: (wish, state) => {
    const text = edited(wish, state, readable(state.supported)?.text ?? '')
    const isOurs = (one: string): boolean => wish.name.map(canonical).includes(one)
    const made = [...state.made.filter(one => !isOurs(one)), ...listedIn(text).map(canonical)]
    return { ...editAfter(FILE, state, text), made: [...new Set(made)].sort() }
  },
  touches: found => [
    ...contentTouches(
      found.filter(({ kind }) => kind !== 'locale'),
      [FILE.path],
    ),
    { kind: 'tree', name: '/usr/lib/locale' },
  ],
  result: ({ name: wanted, state }) => ({ name: wanted, state }),
})

/** `locale -a` spells `UTF-8` as `utf8`. */
function canonical(locale: string): string {
  return locale.replace(/\.([\w-]+)/, (_, set: string) => `.${set.toLowerCase().replaceAll('-', '')}`)
}

/** Whatever the reason, `locale-gen` makes all that the file names. */
function listedIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/^\s*([^#\s]\S*)\s+\S+\s*$/gm), ([, name = '']) => name)
}

/** The line of a locale with its character set, such as `en_GB.UTF-8 UTF-8`. */
function lineOf(locale: string, supported: string): string | undefined {
  return supported
    .split('\n')
    .find(row => row.split(' ')[0] === locale && row.includes(' '))
    ?.trim()
}

function edited(wish: Params, state: ContentState, supported: string): string {
  const rows: readonly string[] = rowsOf(textNow(FILE, state)?.text ?? '')
  return wish.name
    .reduce((before, locale) => withLocale(before, locale, wish.state, supported), rows)
    .join('')
}

/** A locale that is not wanted stays in the file as a note. */
function withLocale(
  rows: readonly string[],
  locale: string,
  state: Params['state'],
  supported: string,
): readonly string[] {
  const nameIn = (row: string): string | undefined => /^\s*#?\s*(\S+)\s+\S+\s*$/.exec(row)?.[1]
  const isOpen = (row: string): boolean => nameIn(row) === locale && !row.trimStart().startsWith('#')
  if (state === 'absent') return rows.map(row => (isOpen(row) ? `# ${row}` : row))
  if (rows.some(isOpen)) return rows
  const line = `${lineOf(locale, supported) ?? locale}\n`
  const at = rows.findIndex(row => nameIn(row) === locale)
  if (at >= 0) return rows.toSpliced(at, 1, line)
  const last = rows.at(-1)
  return [...rows, ...(last !== undefined && !last.endsWith('\n') ? ['\n'] : []), line]
}
