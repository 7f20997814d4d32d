import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** Name of a package of apk. Neither pattern nor version. */
export const APK_NAME = /^[a-z0-9][\w.+-]*$/i

/** A package of apk, or null where it is not installed. */
export interface ApkPackage {
  readonly version: string
}

/** Asks apk's database about packages, without a process. A package counts for the names that it provides as well. */
export const apkFamily: Family<string, ApkPackage | null> = {
  name: 'apk',
  key: name => name,
  reads: name => [{ kind: 'package', name }],
  script: names => sh`[ -r /lib/apk/db/installed ] || { printf 'there is no apk\\n' >&2; exit 1; }
while IFS= read -r l; do case $l in
P:*) p=\${l#P:} ;;
V:*) v=\${l#V:}; for n in ${names}; do [ "$n" != "$p" ] || printf '%s %s\\n' "$n" "$v"; done ;;
p:*) for x in \${l#p:}; do for n in ${names}; do [ "$n" != "\${x%%=*}" ] || printf '%s %s\\n' "$n" "$v"; done; done ;;
esac; done </lib/apk/db/installed
printf 'end\\n'`,
  parse: (answer, names) => {
    const found = pairs(answer)
    return names.map(name => {
      const version = found.get(name)
      return version === undefined ? null : { version }
    })
  },
}

/** Asks about the package of that name. */
export const apk = probeOf(apkFamily)

/** Asks apk what is newer in the lists that the host has, by name. Nothing is fetched. */
export const apkUpdatesFamily: Family<null, Readonly<Record<string, string>>> = {
  name: 'apk-updates',
  key: () => '',
  reads: () => [
    { kind: 'package', name: '*' },
    { kind: 'tree', name: '/var/cache/apk' },
    { kind: 'tree', name: '/etc/apk' },
  ],
  absent: () => false,
  script:
    () => sh`apk version -l '<' 2>/dev/null | while read -r p s v; do [ "$s" != '<' ] || printf '%s %s\\n' "$p" "$v"; done
printf 'end\\n'`,
  parse: (answer, args) => {
    const rows = [...pairs(answer)].map(([full, version]) => {
      const [, name] = /^(.+)-\d[^-]*(?:-r\d+)?$/.exec(full) ?? []
      if (name === undefined) throw unreadable(`expected a package of apk, found \`${full.slice(0, 120)}\``)
      return [name, version] as const
    })
    return args.map(() => Object.fromEntries(rows))
  },
}

/** Asks apk what is newer. */
export const apkUpdates = probeOf(apkUpdatesFamily)

function pairs(answer: Completed): ReadonlyMap<string, string> {
  if (answer.code !== 0) throw brokenOff('apk', answer)
  const rows = [...endedLines(answer.out)]
  if (rows.pop() !== 'end') throw unreadable('the answer stops before its end')
  return new Map(
    rows.map(row => {
      const [, name, version] = /^(\S+) (\S+)$/.exec(row) ?? []
      if (name === undefined || version === undefined)
        throw unreadable(`expected a package of apk, found \`${row.slice(0, 120)}\``)
      return [name, version]
    }),
  )
}
