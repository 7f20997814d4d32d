import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { calendar } from '../probes/calendar.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { UNIT_NAME } from '../probes/unit.ts'
import { account, complain, flag, path, text } from './_params.ts'
import {
  unitFilesActions,
  unitFilesAfter,
  unitFilesDiff,
  unitFilesQuestions,
  unitFilesTouches,
  type UnitFilesQuestions,
  type UnitFilesWish,
} from './_unit-wishes.ts'
import { UNIT_FOLDER, unitText, unitValidator } from './_unit-text.ts'
import { wholeFile } from './_whole-files.ts'
import { defineModule } from './module.ts'

const span = () => text().optional()

const params = z
  .strictObject({
    name: z
      .string()
      .regex(UNIT_NAME)
      .transform(name => name.replace(/\.timer$/, ''))
      .refine(name => !/\.(service|socket|target)$/.test(name), 'the name of a timer expected')
      .describe('Name of the timer, with or without `.timer`.'),
    on_calendar: z
      .union([z.string(), z.array(z.string())])
      .transform(value => (typeof value === 'string' ? [value] : value))
      .optional()
      .describe('Points in time, such as `daily` or `Mon *-*-* 03:00`.'),
    on_boot_sec: span().describe('Time after the start of the host, such as `15min`.'),
    on_startup_sec: span().describe('Time after the start of systemd.'),
    on_active_sec: span().describe('Time after the start of the timer.'),
    on_unit_active_sec: span().describe('Time after the last run began.'),
    on_unit_inactive_sec: span().describe('Time after the last run ended.'),
    randomized_delay_sec: span().describe('Longest random delay, so that not all hosts begin at once.'),
    accuracy_sec: span().describe('How late it may be; systemd takes a minute.'),
    fixed_random_delay: flag().optional().describe('The same random delay every time.'),
    persistent: flag().optional().describe('Make up for runs that were missed while the host was off.'),
    wake_system: flag().optional().describe('Wake the host up for it.'),
    description: text().optional().describe('What it is for, in one line.'),
    unit: z.string().regex(UNIT_NAME).optional().describe('Unit to start; the service of the same name.'),
    command: z
      .string()
      .min(1)
      .optional()
      .describe('Program with arguments; writes the service that runs it.'),
    user: account().optional().describe('User that the command runs as; root where not given.'),
    working_directory: path().optional().describe('Folder that the command runs in.'),
    environment: z
      .record(z.string().regex(/^[A-Za-z_]\w*$/), text())
      .optional()
      .describe('Variables for the command; no secrets, everybody on the host can read them.'),
    timeout: span().describe('Longest time that the command may run.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
    enabled: flag().default(true).describe('Whether it is started with the host.'),
    started: flag().default(true).describe('Whether it is waiting now.'),
  })
  .superRefine((given, context) => {
    const { state, command, unit } = given
    if (state === 'absent') return
    if (calendarsOf(given).length + triggersOf(given).length === 0)
      complain(
        context,
        'on_calendar',
        '`on_calendar` or a time such as `on_boot_sec` expected',
        'MISSING_PARAM',
      )
    if (given.persistent === true && calendarsOf(given).length === 0)
      complain(context, 'persistent', 'it has a meaning with `on_calendar` only')
    if (command !== undefined && unit !== undefined)
      complain(context, 'unit', 'either `command` or `unit` expected')
    const needy = (['user', 'working_directory', 'environment', 'timeout'] as const).find(
      key => given[key] !== undefined && command === undefined,
    )
    if (needy !== undefined) complain(context, needy, '`command` expected with it', 'MISSING_PARAM')
    if (
      /[\n\r]/.test(
        `${command ?? ''}${given.description ?? ''}${Object.values(given.environment ?? {}).join('')}`,
      )
    )
      complain(context, 'command', 'a line end found; put a script on the host and run that')
  })
type Params = z.output<typeof params>
type Questions = UnitFilesQuestions & { readonly [time: `time ${string}`]: Probe<boolean> }

export const systemd_timer = defineModule({
  name: 'systemd_timer',
  summary: 'Runs something again and again by a timer of systemd.',
  examples: [
    '- name: Back up every night\n  systemd_timer:\n    name: backup\n    on_calendar: "*-*-* 02:30"\n    randomized_delay_sec: 30min\n    persistent: true\n    command: /usr/local/sbin/backup --all\n',
    '- name: Renew certificates by the unit of a package\n  systemd_timer: { name: renew, on_calendar: daily, unit: certbot.service }\n',
    '- name: No more reports\n  systemd_timer: { name: report, state: absent }\n',
  ],
  deviations: [
    'Ansible has no such module.',
    'Times are judged by the systemd of the host before anything is written, in a plan as well.',
    'A timer that has changed is started anew, so that the new time holds at once.',
    '`state: absent` removes the service as well where `command` is given: only then the module wrote it.',
  ],
  params,
  probe: (wish, host): Questions => ({ ...unitFilesQuestions(wishOf(wish), host), ...timesOf(wish) }),
  diff: (wish, state) => {
    requireTimes(state)
    return unitFilesDiff(wishOf(wish), state)
  },
  apply: (found, wish, state) => unitFilesActions(found, wishOf(wish), state),
  expect: (wish, state) => unitFilesAfter(wishOf(wish), state),
  touches: (found, wish) => unitFilesTouches(found, wishOf(wish)),
  result: (wish, { unit }) => ({
    name: `${wish.name}.timer`,
    dest: `${UNIT_FOLDER}/${wish.name}.timer`,
    enabled: unit?.file ?? null,
    active: unit?.active ?? null,
  }),
})

const SPANS = {
  on_boot_sec: 'OnBootSec',
  on_startup_sec: 'OnStartupSec',
  on_active_sec: 'OnActiveSec',
  on_unit_active_sec: 'OnUnitActiveSec',
  on_unit_inactive_sec: 'OnUnitInactiveSec',
  randomized_delay_sec: 'RandomizedDelaySec',
  accuracy_sec: 'AccuracySec',
} as const
type SpanKey = keyof typeof SPANS
const SPAN_KEYS = Object.keys(SPANS) as SpanKey[]

function calendarsOf({ on_calendar: found = [] }: Pick<Params, 'on_calendar'>): readonly string[] {
  return found
}

function triggersOf(given: Pick<Params, SpanKey>): readonly string[] {
  return SPAN_KEYS.filter(key => key.startsWith('on_')).flatMap(key => given[key] ?? [])
}

function timesOf(wish: Params): { readonly [time: `time ${string}`]: Probe<boolean> } {
  if (wish.state === 'absent') return {}
  const spans = [...SPAN_KEYS.map(key => wish[key]), wish.timeout].filter(value => value !== undefined)
  return Object.fromEntries([
    ...calendarsOf(wish).map(value => [`time ${value}`, calendar({ sort: 'calendar', text: value })]),
    ...spans.map(value => [`time ${value}`, calendar({ sort: 'timespan', text: value })]),
  ]) as Record<`time ${string}`, Probe<boolean>>
}

/** @throws TaskError with code `BAD_TIME` where systemd would ignore a time. */
function requireTimes(state: StateOf<Questions>): void {
  const wrong = Object.keys(state).find(
    key => key.startsWith('time ') && state[key as `time ${string}`] === false,
  )
  if (wrong === undefined) return
  throw new TaskError(
    'BAD_TIME',
    `systemd does not understand the time \`${wrong.slice('time '.length)}\``,
    'see `man systemd.time`, and try it with `systemd-analyze calendar`',
  )
}

function wishOf(wish: Params): UnitFilesWish {
  const { name, command, state, enabled, started } = wish
  const timer = `${name}.timer`
  const service = `${name}.service`
  const file = (unit: string, content: string) =>
    wholeFile(`${UNIT_FOLDER}/${unit}`, content, { validate: unitValidator(unit) })
  const services = command === undefined ? [] : [file(service, serviceText(wish, command))]
  const isGone = state === 'absent'
  return {
    files: {
      folders: [],
      files: isGone ? [] : [...services, file(timer, timerText(wish))],
      gone: isGone
        ? [`${UNIT_FOLDER}/${timer}`, ...(command === undefined ? [] : [`${UNIT_FOLDER}/${service}`])]
        : [],
    },
    unit: timer,
    isGone,
    enabled,
    isStarted: started,
    restarts: true,
  }
}

function timerText(wish: Params): string {
  return unitText({
    Unit: { Description: wish.description ?? `Timer of ${wish.unit ?? wish.name}` },
    Timer: {
      OnCalendar: wish.on_calendar,
      ...Object.fromEntries(SPAN_KEYS.map(key => [SPANS[key], wish[key]])),
      FixedRandomDelay: wish.fixed_random_delay,
      Persistent: wish.persistent,
      WakeSystem: wish.wake_system,
      Unit: wish.unit,
    },
    Install: { WantedBy: 'timers.target' },
  })
}

function serviceText(wish: Params, command: string): string {
  return unitText({
    Unit: { Description: wish.description ?? wish.name },
    Service: {
      Type: 'oneshot',
      ExecStart: command,
      User: wish.user,
      WorkingDirectory: wish.working_directory,
      Environment: Object.entries(wish.environment ?? {}).map(([key, value]) => `"${key}=${escaped(value)}"`),
      TimeoutStartSec: wish.timeout,
    },
  })
}

/** systemd takes `%` for a specifier, and quotes as a shell does. */
function escaped(value: string): string {
  return value.replaceAll('%', '%%').replaceAll(/["\\]/g, String.raw`\$&`)
}
