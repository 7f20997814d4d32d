import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { parseMount, type Mount } from './fact-storage.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface MountArg {
  readonly path: string
  /** What should be mounted there, such as `UUID=…` or `/dev/mapper/data`. */
  readonly src?: string | undefined
}

export interface MountedAt {
  /** What is seen at the path; null where it is no mount point. */
  readonly mount: Mount | null
  /** Where the source leads in the end, such as `/dev/dm-0`; empty where it is no device that is there. */
  readonly device: string
  /** The same of what should be mounted. */
  readonly wished: string
}

/** Asks what is mounted at paths, by the kernel's table alone: a dead file server must not hold up the answer. */
export const mountFamily: Family<MountArg, MountedAt> = {
  name: 'mount',
  key: ({ path, src = '' }) => `${path} ${src}`,
  reads: () => [
    { kind: 'mount', name: '*' },
    { kind: 'device', name: '*' },
  ],
  absent: ({ mount }) => mount === null,
  script: args => sh`real() {
case $1 in
UUID=*|LABEL=*|PARTUUID=*|PARTLABEL=*|ID=*) t=$(printf %s "\${1%%=*}" | tr A-Z a-z); v=\${1#*=}; v=\${v#\\"}; n=/dev/disk/by-$t/\${v%\\"} ;;
/dev/*) n=$1 ;;
*) n= ;;
esac
if [ -n "$n" ] && [ -e "$n" ]; then readlink -f -- "$n"; else printf '\\n'; fi
}
seen() {
last=
while read -r i p d r m rest; do [ "$m" != "$1" ] || last="$i $p $d $r $m $rest"; done </proc/self/mountinfo
printf '%s\\n' "\${last:--}"
case $last in *' - '*) s=\${last#* - }; s=\${s#* }; real "\${s%% *}" ;; *) printf '\\n' ;; esac
}
${lines(...args.map(({ path, src = '' }) => sh`seen ${tableWord(path)} && real ${src} || exit`))}`,
  parse: parseMounts,
}

/** Asks what is mounted at the path. */
export const mountedAt = probeOf(mountFamily)

/** Returns the text as the kernel's table and fstab spell it: blanks and backslashes as octal digits. */
export function tableWord(text: string): string {
  return text.replaceAll(/[\s\\]/g, sign => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

function parseMounts(answer: Completed, args: readonly MountArg[]): readonly MountedAt[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  const rows = endedLines(answer.out)
  if (rows.length !== args.length * 3) {
    throw unreadable(`expected three lines for each of ${args.length} mounts, found ${rows.length}`)
  }
  return args.map((_, index) => {
    const [row = '', device = '', wished = ''] = rows.slice(index * 3)
    if (![device, wished].every(path => path === '' || path.startsWith('/'))) {
      throw unreadable(`expected the path of a device, found \`${device.slice(0, 80)}\``)
    }
    return { mount: row === '-' ? null : parseMount(row), device, wished }
  })
}
