import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { exists } from '../probes/exists.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { pathResources } from '../probes/resources.ts'
import { stat, visible, type Stat } from '../probes/stat.ts'
import { contentTouches, type ContentQuestions } from './_content.ts'
import { editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { linkedStat, linkScript, type LinkWish } from './_links.ts'
import { defineModule } from './module.ts'

/** Some programs read the name there: where there is such a file, it is kept right. */
const NAME_FILE: EditWish = { path: '/etc/timezone', create: false, backup: false }
const CLOCK_FILE: EditWish = { path: '/etc/adjtime', create: true, backup: false }
const LINK = '/etc/localtime'

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'a name such as `Africa/Nairobi` expected')
      .optional()
      .describe('Name of the time zone, such as `Africa/Nairobi` or `Etc/UTC`.'),
    hwclock: z.enum(['UTC', 'local']).optional().describe('What the battery clock shows.'),
    rtc: z.enum(['UTC', 'local']).optional().describe('Same as `hwclock`.'),
  })
  .transform(({ rtc, ...given }, context) => {
    const clock = given.hwclock ?? rtc
    if (given.name === undefined && clock === undefined) {
      context.addIssue({
        code: 'custom',
        message: '`name` or `hwclock` expected',
        path: ['name'],
        params: { code: 'MISSING_PARAM' },
      })
    }
    return { name: given.name, hwclock: clock }
  })
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly zone?: Probe<boolean>; readonly link?: Probe<Stat> }
type State = StateOf<Questions>

export const timezone = defineModule({
  name: 'timezone',
  summary: 'Sets the time zone, and what the battery clock shows.',
  examples: [
    '- name: Show the time of the clinic\n  timezone:\n    name: Africa/Kampala\n    hwclock: UTC\n',
  ],
  deviations: [
    'The link `/etc/localtime` is compared, and `/etc/timezone` where there is one; no `timedatectl` is needed.',
    '`hwclock` is kept in `/etc/adjtime` and holds from the next time that the battery clock is read or set.',
  ],
  params,
  probe: (wish): Questions => ({
    ...(wish.name !== undefined && {
      zone: exists(zoneFile(wish.name)),
      link: stat(LINK),
      ...editQuestions(NAME_FILE),
    }),
    ...(wish.hwclock !== undefined && editQuestions(CLOCK_FILE)),
  }),
  diff: (wish, state): readonly Change[] => {
    if (wish.name !== undefined && state.zone !== true) {
      throw new TaskError(
        'ZONE_NOT_FOUND',
        `there is no time zone \`${wish.name}\` in /usr/share/zoneinfo`,
        'install the package `tzdata`, or look at the spelling',
      )
    }
    return [
      ...linkChange(wish, state),
      ...edits(wish, state).flatMap(([file, text]) => editDiff(file, state, text, false)),
    ]
  },
  apply: (found, wish, state) => {
    const of = ({ path }: { path: string }): readonly Change[] => found.filter(({ what }) => what === path)
    const link = of({ path: LINK }).map(
      ({ before }) => ({ do: 'run', script: linkScript(linkOf(wish), before), detached: false }) as const,
    )
    const files = edits(wish, state).flatMap(([file, text]) =>
      of(file).length > 0 ? editActions(of(file), file, state, text, false) : [],
    )
    return [...link, ...files]
  },
  expect: (wish, state) => ({
    ...edits(wish, state).reduce<State>(
      (after, [file, text]) => ({ ...after, ...editAfter(file, after, text) }),
      state,
    ),
    ...(wish.name !== undefined && { link: linkedStat(linkOf(wish), null) }),
  }),
  touches: found => [...contentTouches(found, []), ...pathResources(LINK), { kind: 'host', name: 'time' }],
  result: ({ name, hwclock }) => ({
    ...(name !== undefined && { name }),
    ...(hwclock !== undefined && { hwclock }),
  }),
})

function zoneFile(name: string): string {
  return `/usr/share/zoneinfo/${name}`
}

function linkOf({ name = '' }: Params): LinkWish {
  return { path: LINK, state: 'link', src: zoneFile(name), force: true }
}

function linkChange({ name }: Params, { link }: State): readonly Change[] {
  if (name === undefined) return []
  const seen = visible(link ?? null)
  const now =
    seen?.kind === 'link' ? (seen.target ?? '').replace(/^(\.\.|)\/usr\/share\/zoneinfo\//, '') : seen?.kind
  return now === name ? [] : [{ kind: 'timezone', what: LINK, before: now ?? null, after: name }]
}

/** The third line tells what the battery clock shows: adjtime_config(5). */
function edits({ name, hwclock }: Params, state: State): readonly (readonly [EditWish, string])[] {
  const saved = name === undefined ? null : textNow(NAME_FILE, state)
  const clock = hwclock === undefined ? '' : (textNow(CLOCK_FILE, state)?.text ?? '')
  const [drift = '0.0 0 0.0', last = '0', mode = 'UTC'] = clock.split('\n').filter(row => row !== '')
  const wanted = hwclock === 'local' ? 'LOCAL' : 'UTC'
  return [
    ...(saved && saved.text.trim() !== name ? [[NAME_FILE, `${name ?? ''}\n`] as const] : []),
    ...(hwclock !== undefined && mode !== wanted
      ? [[CLOCK_FILE, `${drift}\n${last}\n${wanted}\n`] as const]
      : []),
  ]
}
