import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { unreadable } from './unreadable.ts'

/** Asks what time it is by the host's clock, in seconds since 1970. */
export const clockFamily: Family<null, number> = {
  name: 'clock',
  key: () => '',
  reads: () => [{ kind: 'host', name: 'time' }],
  absent: () => false,
  script: () => sh`date +%s`,
  parse: ({ code, out }, args) => {
    const now = out.trim()
    if (code !== 0 || !/^\d{1,12}$/.test(now))
      throw unreadable(`expected the time, found \`${now.slice(0, 80)}\``)
    return args.map(() => Number(now))
  },
}

/** Asks what time it is. */
export const clock = probeOf(clockFamily)(null)
