import type { Change } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { needs } from './_tools.ts'
import type { UserParams } from './_user-params.ts'
import { AGEING, dateOf } from './_user-password.ts'
import type { Action } from './module.ts'

/** What of the state decides how the commands are written. */
export interface AccountState {
  /** Name of the primary group, where it is to be set. */
  readonly group: string | undefined
  /** Names of the further groups as they are to be, where they are to be set. */
  readonly groups: readonly string[] | undefined
}

/** A change of these takes as long as there are files in the home folder. */
const SLOW = ['uid', 'home']

/** Returns the actions that make a user as wished: one script; the password comes by its standard input. */
export function accountActions(
  found: readonly Change[],
  params: UserParams,
  state: AccountState,
): readonly Action[] {
  if (found.some(({ after }) => after === 'absent')) return [removal(params)]
  const kinds = new Set(found.map(({ kind }) => kind))
  const isNew = kinds.has('user')
  const setsPassword = params.password !== undefined && (isNew || kinds.has('password'))
  const makesKey = kinds.has('ssh_key') || (isNew && params.generate_ssh_key)
  const steps = [
    isNew ? creation(params, state) : modification(kinds, params, state),
    needsHome(kinds, params) && homeScript(params),
    setsPassword && sh`chpasswd -e`,
    locks(kinds, params, isNew) &&
      sh`usermod ${params.password_lock === true ? '-L' : '-U'} -- ${params.name}`,
    ageing(kinds, params, isNew),
    makesKey && keyScript(params),
  ].filter(step => step instanceof Object)
  const script = lines(
    ...steps.map((step, index) => (index === steps.length - 1 ? step : sh`${step} || exit`)),
  )
  const detached = makesKey || SLOW.some(kind => kinds.has(kind))
  return [{ do: 'run', script, detached, ...(setsPassword && { stdin: passwordLine(params) }) }]
}

function removal({ name, force, remove }: UserParams): Action {
  const words = [...(force ? ['-f'] : []), ...(remove ? ['-r'] : []), '--', name]
  return { do: 'run', script: lines(needs('userdel', 'passwd'), sh`userdel ${words}`), detached: remove }
}

function needsHome(kinds: ReadonlySet<string>, params: UserParams): boolean {
  return params.create_home && (kinds.has('create_home') || kinds.has('home'))
}

/** A new password is an unlocked one. */
function locks(kinds: ReadonlySet<string>, { password_lock: lock }: UserParams, isNew: boolean): boolean {
  return kinds.has('password_lock') || (lock === true && (isNew || kinds.has('password')))
}

/** The way of a hash to the host; it never stands in a command line. */
function passwordLine({ name, password }: UserParams): Secret {
  return new Secret(`${name}:${password?.reveal() ?? ''}\n`)
}

function creation(params: UserParams, state: AccountState): Sh {
  const { name, home, create_home: makesHome, skeleton, system } = params
  const words = [
    ...(state.group === undefined ? [] : ['-g', state.group]),
    ...(state.groups === undefined ? [] : ['-G', state.groups.join(',')]),
    ...attributeWords(params, () => true),
    ...(home === undefined ? [] : ['-d', home]),
    ...(makesHome ? ['-m'] : ['-M']),
    ...(makesHome && skeleton !== undefined ? ['-k', skeleton] : []),
    ...(system ? ['-r'] : []),
  ]
  return lines(
    needs('useradd', 'passwd'),
    makesHome && home !== undefined && sh`( umask 022; mkdir -p -- ${folderOf(home)} ) || exit`,
    sh`useradd ${[...words, '--', name]} </dev/null`,
  )
}

function modification(kinds: ReadonlySet<string>, params: UserParams, state: AccountState): Sh | undefined {
  const { name, home, move_home: moves } = params
  const words = [
    ...(kinds.has('group') && state.group !== undefined ? ['-g', state.group] : []),
    ...(kinds.has('groups') ? ['-G', (state.groups ?? []).join(',')] : []),
    ...attributeWords(params, kind => kinds.has(kind)),
    ...(kinds.has('home') && home !== undefined ? ['-d', home, ...(moves ? ['-m'] : [])] : []),
  ]
  if (words.length === 0) return undefined
  return lines(needs('usermod', 'passwd'), sh`usermod ${[...words, '--', name]} </dev/null`)
}

/** The words that useradd and usermod share. */
function attributeWords(params: UserParams, isMeant: (kind: string) => boolean): readonly string[] {
  const { uid, non_unique: isShared, comment, shell, expires } = params
  return [
    ...(uid !== undefined && isMeant('uid') ? ['-u', String(uid), ...(isShared ? ['-o'] : [])] : []),
    ...(comment !== undefined && isMeant('comment') ? ['-c', comment] : []),
    ...(shell !== undefined && isMeant('shell') ? ['-s', shell] : []),
    ...(expires !== undefined && isMeant('expires') ? ['-e', dateOf(expires)] : []),
  ]
}

const AGEING_WORDS = {
  password_expire_max: '-M',
  password_expire_min: '-m',
  password_expire_warn: '-W',
} as const

function ageing(kinds: ReadonlySet<string>, params: UserParams, isNew: boolean): Sh | undefined {
  const words = AGEING.flatMap(name => {
    const days = params[name]
    return days !== undefined && (isNew || kinds.has(name)) ? [AGEING_WORDS[name], String(days)] : []
  })
  return words.length === 0 ? undefined : sh`chage ${[...words, '--', params.name]}`
}

/** Does for a user who is there what useradd does for a new one: https://man7.org/linux/man-pages/man5/login.defs.5.html. */
function homeScript({ name, skeleton = '/etc/skel' }: UserParams): Sh {
  return sh`(
entry=$(getent passwd ${name}) || exit
IFS=: read -r n p u g c home s <<EOF
$entry
EOF
[ ! -e "$home" ] || exit 0
umask 022
mkdir -p -- "\${home%/*}/" && mkdir -m 0700 -- "$home" || exit
[ ! -d ${skeleton} ] || cp -R ${`${skeleton}/.`} "$home" || exit
mode=$(sed -n 's/^HOME_MODE[[:space:]]*//p' /etc/login.defs)
mask=$(sed -n 's/^UMASK[[:space:]]*//p' /etc/login.defs)
[ -n "$mode" ] || mode=$(printf '%o' $((0777 & ~0\${mask:-22})))
chown -R "$u:$g" -- "$home" && chmod "$mode" -- "$home"
)`
}

/** The user makes the key, not root: a symbolic link in the user's folder must not lead root astray. */
function keyScript(params: UserParams): Sh {
  const { name, key, ssh_key_type: type, ssh_key_bits: bits, ssh_key_comment: comment } = params
  const words = [
    '-q',
    '-t',
    type,
    '-N',
    '',
    ...(bits === undefined ? [] : ['-b', String(bits)]),
    ...(comment === undefined ? [] : ['-C', comment]),
    '-f',
    key,
  ]
  const inHome = sh`umask 077; cd -- "$0" && mkdir -p -- ${folderOf(key)} && exec ssh-keygen ${words} </dev/null`
  return sh`(
${needs('ssh-keygen', 'openssh-client')}
entry=$(getent passwd ${name}) || exit
IFS=: read -r n p u g c home s <<EOF
$entry
EOF
runuser -u ${name} -- /bin/sh -c ${inHome.text} "$home"
)`
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, slash) || '/'
}
