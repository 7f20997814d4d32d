import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { sysctl as settingOf, sysctlPath, sysctlValue, type Sysctl } from '../probes/sysctl.ts'
import { lines, sh } from '../shell/sh.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { withoutPair, withPair } from './_pairs.ts'
import { complain, flag, path } from './_params.ts'
import { changes, defineModule } from './module.ts'

const name = z
  .string()
  .regex(/^[A-Za-z0-9_]+([./][A-Za-z0-9_:@,-]+)+$/, 'a name such as `net.ipv4.ip_forward` expected')

const value = z.union([z.string(), z.number(), z.boolean()]).transform(given => {
  const word = String(given).trim()
  if (/^(yes|on|true)$/i.test(word)) return '1'
  return /^(no|off|false)$/i.test(word) ? '0' : sysctlValue(word)
})

const params = z
  .strictObject({
    name: name.optional().describe('Name of the setting, such as `net.ipv4.ip_forward`.'),
    key: name.optional().describe('Same as `name`.'),
    value: value.optional().describe('Value; `yes`, `on`, `true` mean 1, and their opposites 0.'),
    val: value.optional().describe('Same as `value`.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the file should set it.'),
    sysctl_file: path()
      .default('/etc/sysctl.d/99-sysctl.conf')
      .describe('File from which the host takes the setting when it starts.'),
    reload: flag().default(true).describe('Set the running kernel as well.'),
    sysctl_set: flag().default(false).describe('Set the running kernel even where `reload` is off.'),
    ignoreerrors: flag()
      .default(false)
      .describe('Leave the running kernel alone where it has no such setting, or takes no value for it.'),
  })
  .transform(({ key, val, ...given }, context) => {
    const name = given.name ?? key
    if (name === undefined) complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    const wanted = given.value ?? val
    const needsValue = given.state === 'present' && (wanted === undefined || wanted === '')
    if (needsValue) complain(context, 'value', '`value` is missing', 'MISSING_PARAM')
    const isLive = given.state === 'present' && (given.reload || given.sysctl_set)
    return { ...given, name: name ?? '', value: wanted ?? '', isLive }
  })
type Params = z.output<typeof params>
type State = ContentState & { readonly live?: Sysctl | null }

export const sysctl = defineModule({
  name: 'sysctl',
  summary: 'Sets the kernel, now and after every start of the host.',
  examples: [
    '- name: Route packets between networks\n  sysctl:\n    name: net.ipv4.ip_forward\n    value: 1\n',
    '- name: Let the database map its files\n  sysctl:\n    name: vm.max_map_count\n    value: 262144\n    sysctl_file: /etc/sysctl.d/60-database.conf\n    ignoreerrors: true\n',
  ],
  deviations: [
    'The value in the running kernel is compared as well as the file, unless `reload` is off; Ansible sees the file alone by default.',
    '`reload` sets this one setting; Ansible loads the whole file, and fails on lines that are not its business.',
    '`sysctl_file` is `/etc/sysctl.d/99-sysctl.conf` where not given: Debian 13 does not read `/etc/sysctl.conf` any more, and on older systems the one is a link to the other.',
    '`state: absent` takes the setting out of the file and leaves the running kernel as it is, as nobody knows the value it had before.',
    'A setting that the kernel does not have is refused; with `ignoreerrors` only the file is kept.',
  ],
  params,
  probe: wish => ({
    ...editQuestions(editOf(wish)),
    ...(wish.isLive && { live: settingOf(wish.name) }),
  }),
  diff: (wish, state: State): readonly Change[] => [
    ...(wish.state === 'absent' && !textNow(editOf(wish), state)
      ? []
      : editDiff(editOf(wish), state, edited(wish, state), false)),
    ...changes(liveChange(wish, state.live)),
  ],
  apply: (found, wish, state: State) => {
    const file = found.filter(({ kind }) => kind !== 'live')
    const script = sh`printf '%s\\n' ${wish.value} >${sysctlPath(wish.name)}`
    return [
      ...(file.length > 0 ? editActions(file, editOf(wish), state, edited(wish, state), false) : []),
      ...(found.length > file.length ? [{ do: 'run', script: lines(script), detached: false } as const] : []),
    ]
  },
  expect: (wish, state: State) => ({
    ...(wish.state === 'absent' && !textNow(editOf(wish), state)
      ? {}
      : editAfter(editOf(wish), state, edited(wish, state))),
    ...(state.live && takes(wish, state.live) && { live: { ...state.live, value: wish.value } }),
  }),
  touches: (found, { name, sysctl_file: file }) => [
    // Writing the file alters no setting of the running kernel.
    ...contentTouches(
      found.filter(({ kind }) => kind !== 'live'),
      [file],
    ).filter(({ kind }) => kind !== 'sysctl'),
    { kind: 'sysctl', name },
    { kind: 'path', name: sysctlPath(name) },
  ],
  result: ({ name, value: wanted, state }) => ({ name, ...(state === 'present' && { value: wanted }) }),
})

function editOf({ sysctl_file: file, state }: Params): EditWish {
  return { path: file, create: state === 'present', backup: false }
}

/** With `ignoreerrors`, a setting that cannot be written is none of ours. */
function takes({ ignoreerrors: lenient }: Params, live: Sysctl): boolean {
  return live.writable || !lenient
}

function liveChange(wish: Params, live: Sysctl | null | undefined): Change | false {
  if (live === undefined || (live === null && wish.ignoreerrors)) return false
  if (live === null) {
    throw new TaskError(
      'SYSCTL_UNKNOWN',
      `the running kernel has no setting \`${wish.name}\``,
      'load the kernel module that brings it first, or set `ignoreerrors: true`',
    )
  }
  if (!takes(wish, live) || live.value === wish.value) return false
  return { kind: 'live', what: wish.name, before: live.value, after: wish.value }
}

function edited(wish: Params, state: ContentState): string {
  const now = textNow(editOf(wish), state)
  const text = now?.text ?? ''
  const path = sysctlPath(wish.name)
  const fieldsOf = (row: string): readonly string[] =>
    /^\s*-?\s*([^#;=\s][^=\s]*)\s*=\s*(.*)$/.exec(row.trimEnd())?.slice(1) ?? []
  const isOwn = (row: string): boolean => sysctlPath(fieldsOf(row)[0] ?? '') === path
  if (wish.state === 'absent') return withoutPair(text, isOwn)
  const isRight = (row: string): boolean => sysctlValue(fieldsOf(row)[1] ?? '') === asIn(now, wish.value)
  return withPair(text, { isOwn, isRight, line: asIn(now, `${wish.name} = ${wish.value}`) })
}
