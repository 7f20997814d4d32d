import { createHash } from 'node:crypto'
import { APPS, FILES, FOLDERS, GROUPS, KEYS, LINES, UNITS, USERS } from './tasks.ts'

/** Returns a script that looks at a host as root, prints what is not as it should be, and `verify-ok` if all is. */
export function verifyScript(): string {
  return [
    '#!/bin/sh',
    'bad=0',
    'same() { [ "$2" = "$3" ] || { echo "BAD $1: $2 instead of $3"; bad=1; }; }',
    ...GROUPS.map(({ name, gid }) => `same 'group ${name}' "$(getent group ${name} | cut -d: -f3)" ${gid}`),
    ...USERS.flatMap(userChecks),
    ...FOLDERS.map(
      ({ path, mode, owner, group }) =>
        `same ${path} "$(stat -c '%F %a %U %G' ${path})" 'directory ${mode.slice(1)} ${owner} ${group}'`,
    ),
    ...[...FILES, ...UNITS, ...APPS, ...KEYS].map(fileCheck),
    ...LINES.map(({ path, line }) => `same 'line ${line}' "$(grep -cxF '${line}' ${path})" 1`),
    ...UNITS.map(
      ({ source }) =>
        `same ${source} "$(systemctl is-enabled ${source}) $(systemctl is-active ${source})" 'enabled active'`,
    ),
    '[ $bad = 0 ] && echo verify-ok',
    'exit $bad',
    '',
  ].join('\n')
}

function userChecks({ name, uid, shell, extra, comment }: (typeof USERS)[number]): readonly string[] {
  const entry = `${name}:x:${uid}:2001:${comment}:/home/${name}:${shell}`
  return [
    `same 'user ${name}' "$(getent passwd ${name})" '${entry}'`,
    `same 'home of ${name}' "$(stat -c %U /home/${name})" ${name}`,
    `same 'groups of ${name}' "$(id -Gn ${name})" '${`perfapp ${extra}`.trim()}'`,
  ]
}

function fileCheck({ path, content }: { path: string; content: string }): string {
  const hash = createHash('sha256').update(content).digest('hex')
  return `same ${path} "$(stat -c '%a %U %G' ${path}) $(sha256sum < ${path} | cut -c1-64)" '644 root root ${hash}'`
}
