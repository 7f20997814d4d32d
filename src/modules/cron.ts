import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { ACCOUNT_NAME } from '../probes/accounts.ts'
import { crontab, type Crontab } from '../probes/crontab.ts'
import type { Probe, Resource, StateOf } from '../probes/probe.ts'
import { pathResources } from '../probes/resources.ts'
import { followed } from '../probes/stat.ts'
import { sh } from '../shell/sh.ts'
import { attributeChanges } from './_attributes.ts'
import { pathState, type ContentQuestions } from './_content.ts'
import { cronLine, withEntry, type CronEntry } from './_cron-edit.ts'
import { editActions, editAfter, editQuestions, textNow, type EditWish } from './_edit.ts'
import { requireFolder, folderOf } from './_paths.ts'
import { complain, flag, text } from './_params.ts'
import { changes, defineModule, type HostView } from './module.ts'

const FOLDER = '/etc/cron.d'
const TABLES = '/var/spool/cron/crontabs'
/** Whose shell it is only shows on the host. */
const ANY_TABLE: Resource = { kind: 'tree', name: TABLES }
const field = () =>
  text()
    .pipe(z.string().regex(/^[\w*,/?~-]+$/))
    .optional()
const SPECIAL = ['reboot', 'yearly', 'annually', 'monthly', 'weekly', 'daily', 'hourly'] as const

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^\S[^\n]*$/)
      .describe('What the job is found again by; of a variable, its name.'),
    job: z.string().min(1).optional().describe('Line of shell to run; of a variable, its value.'),
    value: z.string().optional().describe('Same as `job`.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
    user: z
      .string()
      .regex(ACCOUNT_NAME)
      .optional()
      .describe('Whose table it is in; with `cron_file`, who runs it.'),
    cron_file: z
      .string()
      .regex(
        /^(\/[\w./-]+|[\w-]+)$/,
        'a name without dots, which cron would pass over, or an absolute path expected',
      )
      .optional()
      .describe('File in `/etc/cron.d`, or absolute path, instead of the table of a user.'),
    minute: field().describe('Minutes: `0` to `59`, `*`, `*/5` …'),
    hour: field().describe('Hours.'),
    day: field().describe('Days of the month.'),
    dom: field().describe('Same as `day`.'),
    month: field().describe('Months.'),
    weekday: field().describe('Days of the week, `0` is Sunday.'),
    dow: field().describe('Same as `weekday`.'),
    special_time: z.enum(SPECIAL).optional().describe('A name instead of the times.'),
    disabled: flag().default(false).describe('Keep the job as a comment.'),
    env: flag().default(false).describe('It is a variable, not a job.'),
    backup: flag().default(false).describe('Keep a `cron_file` as it was.'),
  })
  .transform(({ job, value, day, dom, weekday, dow, ...given }, context) => {
    const line = job ?? value
    const { state, env, cron_file: file, user, special_time: special, minute, hour, month, name } = given
    const times = [minute, hour, day ?? dom, month, weekday ?? dow]
    if (state === 'present' && line === undefined)
      complain(context, 'job', '`job` is missing', 'MISSING_PARAM')
    if (line !== undefined && /[\n\r]/.test(line))
      complain(context, 'job', 'a line end found; a job is one line')
    if (!env && line !== undefined && /(^|[^\\])%/.test(line))
      complain(context, 'job', '`%` found, which cron takes for a line end; write `\\%`')
    if (env && !/^[A-Za-z_]\w*$/.test(name))
      complain(context, 'name', `\`${name}\` found, the name of a variable expected`)
    if (special !== undefined && times.some(time => time !== undefined))
      complain(context, 'special_time', 'either `special_time` or times expected')
    if (file !== undefined && user === undefined && state === 'present' && !env)
      complain(context, 'user', '`user` is missing: a file says who runs the job', 'MISSING_PARAM')
    const when = special === undefined ? times.map(time => time ?? '*').join(' ') : `@${special}`
    return { ...given, line, when }
  })
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly table?: Probe<Crontab> }
type State = StateOf<Questions>

export const cron = defineModule({
  name: 'cron',
  summary: 'Keeps jobs and variables in a table of cron.',
  examples: [
    '- name: Clean up every night\n  cron:\n    name: clean up\n    minute: 30\n    hour: 2\n    job: /usr/local/sbin/clean-up >/dev/null\n',
    '- name: Say who gets the mail\n  cron: { name: MAILTO, env: true, job: admin@example.org, cron_file: reports }\n',
  ],
  deviations: [
    'A `%` that is not escaped is refused: cron takes it for a line end.',
    'A name of a `cron_file` with a dot is refused: cron on Debian passes over such files and says nothing.',
    '`insertafter` and `insertbefore` are not taken: a new variable goes to the top.',
    'Of the table of a user no backup is kept.',
  ],
  params,
  probe: (wish, host): Questions => {
    const path = fileOf(wish)
    return path === undefined ? { table: crontab(ownerOf(wish, host)) } : editQuestions(editOf(wish, path))
  },
  diff: (wish, state): readonly Change[] => {
    const path = fileOf(wish)
    const { line: after } = entryOf(wish)
    const before = cronLine(tableNow(wish, state), entryOf(wish))
    const differs = changes(before !== after && { kind: 'lines', what: path ?? wish.name, before, after })
    if (path === undefined) return differs
    const seen = followed(pathState(state, path))
    if (!seen && after !== null) requireFolder(path, pathState(state, folderOf(path)))
    return [...differs, ...(seen ? attributeChanges(path, seen, editOf(wish, path)) : [])]
  },
  apply: (found, wish, state) => {
    const edited = withEntry(tableNow(wish, state), entryOf(wish))
    const path = fileOf(wish)
    if (path !== undefined) return editActions(found, editOf(wish, path), state, edited, false)
    const script = sh`crontab ${wish.user === undefined ? [] : ['-u', wish.user]} -`
    return [{ do: 'run', script, stdin: edited, detached: false }]
  },
  expect: (wish, state): Partial<State> => {
    const path = fileOf(wish)
    const edited = withEntry(tableNow(wish, state), entryOf(wish))
    if (path === undefined) return { table: { hasCron: true, text: edited } }
    return textNow({ path }, state) || edited !== '' ? editAfter(editOf(wish, path), state, edited) : {}
  },
  touches: (_, wish) => {
    const path = fileOf(wish)
    return path === undefined
      ? [wish.user === undefined ? ANY_TABLE : { kind: 'path', name: `${TABLES}/${wish.user}` }]
      : pathResources(path)
  },
  result: (wish, state) => ({ name: wish.name, line: cronLine(tableNow(wish, state), entryOf(wish)) }),
})

function fileOf({ cron_file: file }: Params): string | undefined {
  return file === undefined || file.startsWith('/') ? file : `${FOLDER}/${file}`
}

function ownerOf({ user }: Params, host: HostView): string {
  return user ?? host.user
}

/** cron passes over a file that others may write to. */
function editOf({ backup }: Params, path: string): EditWish {
  return { path, create: true, backup, mode: '0644', owner: 'root', group: 'root' }
}

function entryOf({ name, env, state, line = '', when, user, cron_file: file, disabled }: Params): CronEntry {
  const sort = env ? 'variable' : 'job'
  if (state === 'absent') return { sort, name, line: null }
  if (env) return { sort, name, line: `${name}="${line}"` }
  const words = [when, ...(file === undefined ? [] : [user ?? '']), line].join(' ')
  return { sort, name, line: disabled ? `#${words}` : words }
}

/** @throws TaskError with code `NO_CRON` where the host has no cron. */
function tableNow(wish: Params, state: State): string {
  const path = fileOf(wish)
  if (path !== undefined) return textNow({ path }, state)?.text ?? ''
  if (state.table?.hasCron === true) return state.table.text ?? ''
  if (wish.state === 'absent') return ''
  throw new TaskError('NO_CRON', 'the host has no `crontab`', 'install `cron`, or use `systemd_timer`')
}
