import { sh } from '../shell/sh.ts'
import { factFamily } from './fact.ts'
import { endedLines, unreadable } from './unreadable.ts'

export interface Time {
  /** Seconds since 1970 by the host's clock. */
  readonly epoch: number
  /** Seconds since 1970 by the battery clock; null where there is none. */
  readonly hardware: number | null
  /** Such as `Africa/Nairobi` or `Etc/UTC`; empty where the host does not say. */
  readonly zone: string
  /** Minutes east of Greenwich, now. */
  readonly offset: number
  /** The clock follows a time server; null where the host does not say. */
  readonly synchronized: boolean | null
  /** Seconds since the start. */
  readonly uptime: number
  /** Differs after every start. */
  readonly boot_id: string
}

export const timeFamily = factFamily<Time>({
  name: 'time',
  reads: [{ kind: 'host', name: 'time' }],
  script: sh`export LC_ALL=C
read -r up rest </proc/uptime || exit
read -r boot </proc/sys/kernel/random/boot_id || exit
date '+%s %z' || exit
printf '%s\\n%s\\n' "$up" "$boot"
h=-; [ ! -r /sys/class/rtc/rtc0/since_epoch ] || read -r h </sys/class/rtc/rtc0/since_epoch
z=; [ ! -r /etc/timezone ] || read -r z </etc/timezone
[ -z "$(command -v readlink)" ] || l=$(readlink /etc/localtime)
case \${l-} in *zoneinfo/*) z=\${l#*zoneinfo/} ;; esac
s=-
if [ -e /run/systemd/timesync/synchronized ]; then s=yes
elif [ -d /run/systemd/system ] && command -v timedatectl >/dev/null 2>&1; then s=$(timedatectl show -p NTPSynchronized --value 2>/dev/null); fi
printf '%s\\n%s\\n%s\\n' "$h" "$z" "\${s:--}"`,
  parse: parseTime,
})

function parseTime(out: string): Time {
  const [clock = '', uptime = '', boot = '', hardware = '', zone = '', synchronized = ''] = endedLines(out)
  const [, epoch, offset] = /^(\d+) ([+-]\d{4})$/.exec(clock) ?? []
  const isWhole = /^\d+(\.\d+)?$/.test(uptime) && /^[0-9a-f-]{36}$/.test(boot) && /^(\d+|-)$/.test(hardware)
  if (epoch === undefined || offset === undefined || !isWhole) {
    throw unreadable(`expected the host's clocks, found \`${out.slice(0, 120)}\``)
  }
  return {
    epoch: Number(epoch),
    hardware: hardware === '-' ? null : Number(hardware),
    zone,
    offset: minutesOf(offset),
    synchronized: ['yes', 'no'].includes(synchronized) ? synchronized === 'yes' : null,
    uptime: Number(uptime),
    boot_id: boot,
  }
}

/** `+0530` is 330. */
function minutesOf(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3))
  return offset.startsWith('-') && minutes > 0 ? -minutes : minutes
}
