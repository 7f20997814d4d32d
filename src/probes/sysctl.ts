import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { unreadable } from './unreadable.ts'

/** A setting of the running kernel. */
export interface Sysctl {
  /** Blanks between words are single ones; null where it may not be read, or can only be written. */
  readonly value: string | null
  /** Whether the kernel would take another value from us. A container's kernel takes few. */
  readonly writable: boolean
}

/** Asks the running kernel for settings by their names, such as `net.ipv4.ip_forward`: one process for all of them. Null where it has none of that name. */
export const sysctlFamily: Family<string, Sysctl | null> = {
  name: 'sysctl',
  key: name => name,
  reads: name => [{ kind: 'sysctl', name }],
  script: names => sh`set --; s=
for f in ${names.map(sysctlPath)}; do
if [ ! -e "$f" ]; then s=$s-; continue; elif [ -w "$f" ]; then s=\${s}w; else s=\${s}r; fi
set -- "$@" "$f"
done
printf '%s\\n' "$s"
[ $# -eq 0 ] || LC_ALL=C grep '' /dev/null "$@" 2>/dev/null
exit 0`,
  parse: parseValues,
}

/** Asks the running kernel for the setting of that name. */
export const sysctl = probeOf(sysctlFamily)

/** Returns where the kernel shows the setting. Where a slash comes first, dots stand for themselves: `net/ipv4/conf/eth0.100/forwarding`. */
export function sysctlPath(name: string): string {
  const isSlashed = (/[./]/.exec(name)?.[0] ?? '.') === '/'
  const swapped = name.replaceAll(/[./]/g, sign => (sign === '.' ? '/' : '.'))
  return `/proc/sys/${isSlashed ? name : swapped}`
}

/** Returns the value with single blanks between its words, as two values are compared. */
export function sysctlValue(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}

function parseValues({ code, out }: Completed, names: readonly string[]): readonly (Sysctl | null)[] {
  if (code !== 0) throw unreadable(`asking the kernel ended with status ${code}`)
  const [signs = '', ...rows] = out.split('\n')
  if (!/^[-rw]*$/.test(signs) || signs.length !== names.length || rows.pop() !== '') {
    throw unreadable(`expected a sign for each of ${names.length} settings, found \`${signs.slice(0, 80)}\``)
  }
  const paths = names.map(name => `${sysctlPath(name)}:`)
  const stray = rows.find(row => !paths.some(path => row.startsWith(path)))
  if (stray !== undefined) throw unreadable(`expected a setting, found \`${stray.slice(0, 80)}\``)
  return paths.map((path, index) => {
    const sign = signs[index]
    if (sign === '-') return null
    const own = rows.filter(row => row.startsWith(path)).map(row => row.slice(path.length))
    return { value: own.length === 0 ? null : sysctlValue(own.join(' ')), writable: sign === 'w' }
  })
}
