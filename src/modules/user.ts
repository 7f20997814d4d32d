import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { group, memberships, passwd, shadow, type Group, type Shadow, type User } from '../probes/accounts.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { stat } from '../probes/stat.ts'
import { newStat } from './_attributes.ts'
import { accountActions } from './_user-actions.ts'
import { userParams, type UserParams } from './_user-params.ts'
import { foretoldShadow, passwordChanges, requirePassword, wantsShadow } from './_user-password.ts'
import { changes, defineModule, type Foretold } from './module.ts'

/** Home of users that have none, by Debian's policy. */
/** The mode of a new home folder where `/etc/login.defs` says nothing else. */
const HOME_MODE = '0700'

const NO_HOME = ['/nonexistent', '/dev/null', '/', '']

type Questions = {
  readonly user: Probe<User | null>
  readonly groups?: Probe<readonly string[]>
  readonly shadow?: Probe<Shadow | null>
  /** The primary group; where none is given, the group of the user's own name. */
  readonly group?: Probe<Group | null>
} & { readonly [further: `+${string}`]: Probe<Group | null> }
type State = StateOf<Questions>

export const user = defineModule({
  name: 'user',
  summary: 'Makes, changes or removes a user.',
  examples: [
    '- name: Make the user of the application\n  user:\n    name: app\n    system: true\n    shell: /usr/sbin/nologin\n    home: /srv/app\n',
    '- name: Let the operator use sudo\n  user:\n    name: operator\n    groups: [sudo]\n    append: true\n    password: "{{ operator_password_hash }}"\n    update_password: on_create\n',
    '- name: Remove the old account\n  user: { name: oldapp, state: absent, remove: true }\n',
  ],
  deviations: [
    '`password` takes a hash only; a plain password is refused, Ansible writes it into the file as it is.',
    'A new user without `group` joins the group of its own name where there is one; Ansible puts it into `users`.',
    'A home folder is not made for users whose home is `/nonexistent`.',
    '`generate_ssh_key` makes an ed25519 key, and the user makes it, not root.',
    'The user with the number 0 is never removed.',
  ],
  params: userParams,
  probe: (params): Questions => questionsOf(params),
  diff: (params, state): readonly Change[] => {
    const found = state.user
    const { name } = params
    if (params.state === 'absent') {
      if (found?.uid === 0)
        throw new TaskError('ROOT_USER', `\`${name}\` has the number 0 and is not removed`)
      return changes(found && { kind: 'user', what: name, before: 'present', after: 'absent' })
    }
    const groups = furtherGroups(params, state)
    if (params.group !== undefined && !state.group) throw noGroup(params.group)
    if (!found) requirePassword(params, null)
    if (!found) return [{ kind: 'user', what: name, before: 'absent', after: 'present' }]
    return changes<Change>(
      ...attributeChanges(params, found, state),
      groups !== undefined &&
        String(groups) !== String(currentGroups(state)) && {
          kind: 'groups',
          what: name,
          before: currentGroups(state),
          after: groups,
        },
      ...passwordChanges(params, state.shadow ?? null),
      lacksHome(params, found) && { kind: 'create_home', what: found.home, before: null, after: 'present' },
      params.generate_ssh_key &&
        found.key === null && {
          kind: 'ssh_key',
          what: `${found.home}/${params.key}`,
          before: null,
          after: params.ssh_key_type,
        },
    )
  },
  apply: (found, params, state) =>
    accountActions(found, params, {
      group: params.group ?? (state.user === null ? state.group?.name : undefined),
      groups: found.some(({ after }) => after === 'absent') ? undefined : furtherGroups(params, state),
    }),
  expect: (params, state) => ({ ...state, ...foretell(params, state) }),
  touches: (found, params) => [
    { kind: 'user', name: params.name },
    ...(found.some(({ kind }) => kind === 'user') ? [{ kind: 'group', name: params.name } as const] : []),
    ...(params.state === 'absent' ? ['*'] : (params.groups ?? [])).map(
      name => ({ kind: 'group', name }) as const,
    ),
    ...['passwd', 'shadow', 'group', 'gshadow'].map(
      file => ({ kind: 'path', name: `/etc/${file}` }) as const,
    ),
    ...homesOf(found, params).map(name => ({ kind: 'tree', name }) as const),
  ],
  foretells: newHome,
  result: ({ name, state: wanted, generate_ssh_key: hasKey, key }, { user: found, groups }) => ({
    name,
    state: wanted,
    uid: found?.uid ?? null,
    group: found?.gid ?? null,
    ...(groups !== undefined && { groups }),
    home: found?.home ?? null,
    shell: found?.shell ?? null,
    comment: found?.comment ?? null,
    ...(hasKey && found && { ssh_key_file: `${found.home}/${key}`, ssh_public_key: found.key }),
  }),
})

function questionsOf(params: UserParams): Questions {
  const { name, home, group: primary, groups, key } = params
  const asked = passwd({ name, home, ...(params.generate_ssh_key && { key }) })
  if (params.state === 'absent') return { user: asked }
  return {
    user: asked,
    group: group(primary ?? name),
    ...(groups !== undefined && { groups: memberships(name) }),
    ...(wantsShadow(params) && { shadow: shadow(name) }),
    ...Object.fromEntries((groups ?? []).map(further => [`+${further}`, group(further)])),
  }
}

function noGroup(name: string): TaskError {
  return new TaskError(
    'GROUP_NOT_FOUND',
    `there is no group \`${name}\``,
    'make it with the module `group` first',
  )
}

/** The further groups as they are to be, sorted; undefined where they are left alone. The primary group is none of them. */
function furtherGroups(params: UserParams, state: State): readonly string[] | undefined {
  if (params.groups === undefined) return undefined
  const wanted = params.groups.map(asked => {
    const found = state[`+${asked}`]
    if (!found) throw noGroup(asked)
    return found
  })
  const primary = params.group === undefined ? state.user?.gid : state.group?.gid
  const names = wanted.filter(({ gid }) => gid === null || gid !== primary).map(({ name }) => name)
  const kept = params.append
    ? currentGroups(state)
    : currentGroups(state).filter(name => name === state.group?.name)
  return [...new Set([...names, ...kept])].sort()
}

function currentGroups(state: State): readonly string[] {
  return state.groups ?? []
}

function attributeChanges(params: UserParams, found: User, state: State): readonly (Change | false)[] {
  const { name, uid, comment, home, shell } = params
  const differs = (kind: string, before: string | number | null, after: string | number | null | undefined) =>
    after !== undefined && before !== after && { kind, what: name, before, after }
  return [
    differs('uid', found.uid, uid),
    params.group !== undefined &&
      found.gid !== state.group?.gid && {
        kind: 'group',
        what: name,
        before: found.gid,
        after: params.group,
      },
    differs('comment', found.comment, comment),
    differs('home', found.home.replace(/(.)\/+$/, '$1'), home),
    differs('shell', found.shell, shell),
  ]
}

function lacksHome(params: UserParams, found: User): boolean {
  return (
    params.create_home &&
    !found.hasHome &&
    (params.home ?? found.home) === found.home &&
    !NO_HOME.includes(found.home)
  )
}

/** The home folder that comes with a new user, as useradd makes it. */
function newHome(
  found: readonly Change[],
  { name, home = `/home/${name}`, create_home: makesHome }: UserParams,
): readonly Foretold[] {
  const isNew = found.some(({ kind, after }) => kind === 'user' && after === 'present')
  if (!isNew || !makesHome || NO_HOME.includes(home)) return []
  return [[stat(home), newStat('directory', { owner: name, mode: HOME_MODE })]]
}

/** The folders that a change reaches into; `/` where only the host knows which. */
function homesOf(
  found: readonly Change[],
  { name, home = `/home/${name}`, key, remove, create_home: makesHome }: UserParams,
): readonly string[] {
  return found.flatMap(({ kind, what, before, after }) => {
    if (kind === 'uid' || (after === 'absent' && remove)) return ['/']
    if (kind === 'user') return after === 'present' && makesHome ? [home] : []
    if (kind === 'home') return [String(before), String(after)]
    if (kind === 'ssh_key') return [what.slice(0, -key.length - 1)]
    return kind === 'create_home' ? [what] : []
  })
}

function foretell(params: UserParams, state: State): Partial<State> {
  const { name } = params
  if (params.state === 'absent') return { user: null }
  const groups = furtherGroups(params, state)
  const further = (params.groups ?? []).map(asked => [
    `+${asked}`,
    withMember(state[`+${asked}`] ?? null, name),
  ])
  return {
    user: userAfter(params, state),
    ...(groups !== undefined && { groups }),
    ...Object.fromEntries(further),
    ...(params.group === undefined && { group: groupAfter(params, state) }),
    ...(state.shadow !== undefined && { shadow: foretoldShadow(params, state.shadow) }),
  }
}

function userAfter({ name, ...params }: UserParams, state: State): User {
  const gid = state.group?.gid ?? null
  const blank = {
    name,
    uid: null,
    gid,
    comment: '',
    home: `/home/${name}`,
    shell: '',
    hasHome: false,
    key: null,
  }
  const before: User = state.user ?? blank
  const { uid = before.uid, comment = before.comment, home = before.home, shell = before.shell } = params
  return {
    ...before,
    uid,
    comment,
    home,
    shell,
    ...(params.group !== undefined && { gid }),
    hasHome: params.create_home || before.hasHome,
    key: params.generate_ssh_key ? (before.key ?? '') : null,
  }
}

/** A new user without a group brings one of its own name. */
function groupAfter({ name }: UserParams, state: State): Group | null {
  return state.group ?? (state.user === null ? { name, gid: null, members: [] } : null)
}

function withMember(found: Group | null, name: string): Group | null {
  return found && { ...found, members: [...new Set([...found.members, name])] }
}
