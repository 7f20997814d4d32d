import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface CalendarArg {
  /** `calendar` for points in time such as `Mon *-*-* 03:00`, `timespan` for such as `15min`. */
  readonly sort: 'calendar' | 'timespan'
  readonly text: string
}

/** Asks systemd whether it understands times: one process for each sort, more only where one is wrong. */
export const calendarFamily: Family<CalendarArg, boolean> = {
  name: 'calendar',
  key: ({ sort, text }) => `${sort} ${text}`,
  reads: () => [],
  absent: () => false,
  script: args =>
    lines(
      sh`export LC_ALL=C
command -v systemd-analyze >/dev/null || exit 127
understood() { if systemd-analyze "$@" >/dev/null 2>&1; then printf 1; else printf 0; fi; }`,
      sh`if ${allOf('calendar', args)} && ${allOf('timespan', args)}; then printf %s ${'1'.repeat(args.length)}; else`,
      ...args.map(({ sort, text }) => sh`understood ${sort} -- ${text}`),
      sh`fi`,
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('systemd-analyze', answer)
    if (!/^[01]*$/.test(answer.out) || answer.out.length !== args.length)
      throw unreadable(
        `expected a sign for each of ${args.length} times, found \`${answer.out.slice(0, 80)}\``,
      )
    return [...answer.out].map(sign => sign === '1')
  },
}

/** Asks whether systemd understands the time. */
export const calendar = probeOf(calendarFamily)

function allOf(sort: CalendarArg['sort'], args: readonly CalendarArg[]): Sh {
  const texts = args.filter(arg => arg.sort === sort).map(({ text }) => text)
  return texts.length === 0 ? sh`true` : sh`systemd-analyze ${sort} -- ${texts} >/dev/null 2>&1`
}
