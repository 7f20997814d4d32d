import type { Completed } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** Status of getent where one of the names is not there. */
const NOT_THERE = 2

/** Name of a user or group that can be told from a number and from an option. */
export const ACCOUNT_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/

export interface PasswdArg {
  readonly name: string
  /** Where the home folder should be; only tells what the answer depends on. */
  readonly home?: string | undefined
  /** Path of a private key in the home folder. */
  readonly key?: string | undefined
}

/** A user, from wherever the host takes its users. */
export interface User {
  readonly name: string
  /** Null where the number will be chosen by the host. */
  readonly uid: number | null
  readonly gid: number | null
  readonly comment: string
  readonly home: string
  readonly shell: string
  readonly hasHome: boolean
  /** The public part of the key asked for; null where there is no such key. */
  readonly key: string | null
}

/** Asks about users: one process for all of them. */
export const passwdFamily: Family<PasswdArg, User | null> = {
  name: 'passwd',
  key: ({ name, home = '', key = '' }) => `${name} ${home} ${key}`,
  reads: ({ name, home }) => [{ kind: 'user', name }, ...pathRead(home ?? `/home/${name}`)],
  script: args => sh`${getent('passwd', [...new Set(args.map(arg => arg.name))])}
printf '%s\\n' "$found" | while IFS=: read -r n p u g c h s; do
[ -n "$n" ] || continue
d=0; [ ! -d "$h" ] || d=1
printf '%s:%s:%s:%s:%s:%s:%s\\n' "$n" "$u" "$g" "$c" "$h" "$s" "$d"
${lines(...args.filter(arg => arg.key !== undefined).map(keyScript))}
done`,
  parse: parseUsers,
}

/** Asks about the user of that name. */
export const passwd = probeOf(passwdFamily)

/** What the host keeps of a user's password, and until when the account may be used. */
export interface Shadow {
  readonly password: Secret
  /** Days since 1970 after which the account is closed; null where never. */
  readonly expires: number | null
  readonly maxDays: number | null
  readonly minDays: number | null
  readonly warnDays: number | null
}

/** Asks about passwords of users: one process for all of them. Only root gets an answer. */
export const shadowFamily: Family<string, Shadow | null> = {
  name: 'shadow',
  key: name => name,
  reads: name => [{ kind: 'user', name }],
  script: names => sh`[ -r /etc/shadow ] || { printf 'only root may read /etc/shadow\\n' >&2; exit 1; }
${getent('shadow', names)}
printf '%s\\n' "$found"`,
  parse: parseShadows,
}

/** Asks about the password of the user of that name. */
export const shadow = probeOf(shadowFamily)

export interface Group {
  readonly name: string
  /** Null where the number will be chosen by the host. */
  readonly gid: number | null
  /** Users that name it as one of their further groups. */
  readonly members: readonly string[]
}

/** Asks about groups: one process for all of them. */
export const groupFamily: Family<string, Group | null> = {
  name: 'group',
  key: name => name,
  reads: name => [{ kind: 'group', name }],
  script: names => sh`${getent('group', names)}
printf '%s\\n' "$found"`,
  parse: parseGroups,
}

/** Asks about the group of that name or number. */
export const group = probeOf(groupFamily)

/** Asks which groups name a user as their member, sorted: one process for all users. */
export const membershipsFamily: Family<string, readonly string[]> = {
  name: 'memberships',
  key: name => name,
  reads: name => [{ kind: 'user', name }],
  absent: () => false,
  script: names => sh`found=$(${wholeTable('group')}) || exit
printf '%s\\n' "$found" | while IFS=: read -r n p g m; do
for u in ${names}; do case ,$m, in *,"$u",*) printf '%s:%s\\n' "$u" "$n" ;; esac; done
done
printf 'end\\n'`,
  parse: parseMemberships,
}

/** Asks which groups name the user of that name as their member. */
export const memberships = probeOf(membershipsFamily)

/** Asks which users have a group as their primary one: two processes for all groups. */
export const primaryUsersFamily: Family<string, readonly string[]> = {
  name: 'primary-users',
  key: name => name,
  reads: name => [
    { kind: 'user', name: '*' },
    { kind: 'group', name },
  ],
  absent: () => false,
  script: names => sh`${getent('group', names)}
users=$(${wholeTable('passwd')}) || exit
printf '%s\\n' "$found" | while IFS=: read -r n p g m; do
[ -n "$n" ] || continue
printf '%s\\n' "$users" | while IFS=: read -r u p i pg rest; do [ "$pg" != "$g" ] || printf '%s:%s\\n' "$n" "$u"; done
done
printf 'end\\n'`,
  parse: parseMemberships,
}

/** Asks which users have the group as their primary one. */
export const primaryUsers = probeOf(primaryUsersFamily)

/** Returns a script that fills `found` with the lines of the names; where there is no getent, from the file. */
export function getent(table: 'passwd' | 'shadow' | 'group', names: readonly string[]): Sh {
  return sh`export LC_ALL=C
if command -v getent >/dev/null 2>&1; then found=$(getent ${table} ${names})
else found=$(while IFS= read -r l; do for n in ${names}; do case $l in "$n":*) printf '%s\\n' "$l" ;; esac; done; done <${`/etc/${table}`}); fi
case $? in 0|${NOT_THERE}) ;; *) exit 1 ;; esac`
}

function wholeTable(table: 'passwd' | 'group'): Sh {
  return sh`export LC_ALL=C; if command -v getent >/dev/null 2>&1; then getent ${table}; else cat ${`/etc/${table}`}; fi`
}

/** A line with the public part, where there is a private one. */
function keyScript({ name, key = '' }: PasswdArg): Sh {
  return sh`if [ "$n" = ${name} ] && [ -f "$h"/${key} ]; then
k=; [ ! -r "$h"/${`${key}.pub`} ] || IFS= read -r k <"$h"/${`${key}.pub`}
printf ' %s:%s:%s\\n' ${name} ${key} "$k"
fi`
}

function parseUsers(answer: Completed, args: readonly PasswdArg[]): readonly (User | null)[] {
  if (answer.code !== 0) throw brokenOff('getent', answer)
  const rows = endedLines(answer.out)
  const users = new Map(rows.filter(row => !row.startsWith(' ')).map(parseUser))
  const keys = new Map(rows.filter(row => row.startsWith(' ')).map(parseKey))
  return args.map(({ name, key }) => {
    const found = users.get(name)
    if (!found) return null
    return { ...found, key: key === undefined ? null : (keys.get(`${name}:${key}`) ?? null) }
  })
}

function parseUser(row: string): [string, User] {
  const [name = '', uid = '', gid = '', comment = '', home = '', shell = '', hasHome, ...more] =
    row.split(':')
  const isWhole = /^\d+$/.test(uid) && /^\d+$/.test(gid) && (hasHome === '0' || hasHome === '1')
  if (name === '' || !isWhole || more.length > 0) {
    throw unreadable(`expected a line of passwd, found \`${row.slice(0, 120)}\``)
  }
  return [
    name,
    { name, uid: Number(uid), gid: Number(gid), comment, home, shell, hasHome: hasHome === '1', key: null },
  ]
}

function parseKey(row: string): [string, string] {
  const [name = '', path = '', ...key] = row.slice(1).split(':')
  return [`${name}:${path}`, key.join(':')]
}

function parseShadows(answer: Completed, names: readonly string[]): readonly (Shadow | null)[] {
  if (answer.code !== 0) throw brokenOff('getent', answer)
  const rows = endedLines(answer.out).filter(row => row !== '')
  const found = new Map(rows.map(parseShadow))
  return names.map(name => found.get(name) ?? null)
}

/** A line that cannot be read is not shown: it may hold a password. */
function parseShadow(row: string): [string, Shadow] {
  const fields = row.split(':')
  const [name = '', password = '', , minDays, maxDays, warnDays, , expires] = fields
  const days = [minDays, maxDays, warnDays, expires].map(daysOf)
  if (name === '' || fields.length !== 9 || days.includes(undefined)) {
    throw unreadable('expected a line of shadow, found something else')
  }
  const [min = null, max = null, warn = null, end = null] = days
  return [name, { password: new Secret(password), expires: end, maxDays: max, minDays: min, warnDays: warn }]
}

function daysOf(field: string | undefined): number | null | undefined {
  if (field === '') return null
  return field !== undefined && /^-?\d+$/.test(field) ? Number(field) : undefined
}

function parseGroups(answer: Completed, names: readonly string[]): readonly (Group | null)[] {
  if (answer.code !== 0) throw brokenOff('getent', answer)
  const groups = endedLines(answer.out)
    .filter(row => row !== '')
    .map(parseGroup)
  return names.map(asked => groups.find(({ name, gid }) => name === asked || String(gid) === asked) ?? null)
}

function parseGroup(row: string): Group {
  const [name = '', , gid = '', members, ...more] = row.split(':')
  if (name === '' || !/^\d+$/.test(gid) || members === undefined || more.length > 0) {
    throw unreadable(`expected a line of group, found \`${row.slice(0, 120)}\``)
  }
  return { name, gid: Number(gid), members: members.split(',').filter(member => member !== '') }
}

/** Lines of two names, the first of them one that was asked for. */
function parseMemberships(answer: Completed, names: readonly string[]): readonly (readonly string[])[] {
  if (answer.code !== 0) throw brokenOff('getent', answer)
  const rows = [...endedLines(answer.out)]
  if (rows.pop() !== 'end') throw unreadable('the answer stops before its end')
  const pairs = rows.map(row => row.split(':'))
  const stray = pairs.find(pair => pair.length !== 2 || pair.includes(''))
  if (stray) throw unreadable(`expected two names, found \`${stray.join(':').slice(0, 120)}\``)
  return names.map(name =>
    pairs
      .filter(([first]) => first === name)
      .map(([, second]) => second ?? '')
      .sort(),
  )
}
