import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { mountedAt, type MountedAt } from '../probes/mount.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { stat, visible, type Stat } from '../probes/stat.ts'
import { sh } from '../shell/sh.ts'
import { contentTouches, type ContentQuestions, type ContentState } from './_content.ts'
import { newStat } from './_attributes.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { withMount, withoutMount } from './_fstab.ts'
import { liveScript, missingFlags, mountedAfter, requireSame } from './_mounts.ts'
import { complain, flag, path, text } from './_params.ts'
import { changes, defineModule } from './module.ts'

const KEPT = ['/', '/boot', '/dev', '/etc', '/proc', '/run', '/sys', '/usr', '/var']
const STATES = [
  'mounted',
  'present',
  'unmounted',
  'remounted',
  'absent',
  'absent_from_fstab',
  'ephemeral',
] as const

const params = z
  .strictObject({
    path: path().optional().describe('Mount point.'),
    name: path().optional().describe('Same as `path`.'),
    src: text()
      .optional()
      .describe('What is mounted, such as `UUID=…`, `/dev/mapper/data` or `server:/export`.'),
    fstype: z
      .string()
      .regex(/^[\w.,-]+$/)
      .optional()
      .describe('Sort of file system.'),
    opts: z
      .string()
      .regex(/^\S+$/, 'options without blanks expected')
      .default('defaults')
      .describe('Options, separated by commas.'),
    dump: text().default('0').describe('Fifth field of fstab.'),
    passno: text()
      .default('0')
      .describe('Sixth field of fstab: when it is checked at the start; 0 for never.'),
    state: z
      .enum(STATES)
      .describe(
        '`mounted`: in fstab and mounted; `present`: in fstab; `unmounted`: not mounted; `remounted`: mounted anew, always; `absent`: neither; `absent_from_fstab`: not in fstab; `ephemeral`: mounted and not put into fstab.',
      ),
    boot: flag().default(true).describe('Mount it when the host starts; off adds the option `noauto`.'),
    backup: flag().default(false).describe('Keep fstab as it was.'),
    fstab: path().default('/etc/fstab').describe('The file.'),
  })
  .transform(({ name, ...given }, context) => {
    const { state, src, fstype, opts, boot } = given
    const point = given.path ?? name
    if (point === undefined) complain(context, 'path', '`path` is missing', 'MISSING_PARAM')
    const makes = ['mounted', 'present', 'ephemeral'].includes(state)
    if (makes && src === undefined) complain(context, 'src', '`src` is missing', 'MISSING_PARAM')
    if (makes && fstype === undefined) complain(context, 'fstype', '`fstype` is missing', 'MISSING_PARAM')
    const all = boot || opts.split(',').includes('noauto') ? opts : `${opts},noauto`
    return { ...given, path: point ?? '/', src: src ?? '', fstype: fstype ?? '', opts: all }
  })
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly live?: Probe<MountedAt>; readonly point?: Probe<Stat> }
type State = StateOf<Questions>

export const mount = defineModule({
  name: 'mount',
  summary: 'Mounts file systems, now and when the host starts.',
  examples: [
    '- name: Mount the data disk\n  mount:\n    path: /srv/data\n    src: UUID=3d4f2f9c-6a2b-4a57-9d3c-52c1f1a9a0b2\n    fstype: ext4\n    opts: noatime,nodev,nosuid\n    state: mounted\n',
    '- name: Let nobody run programs from /tmp\n  mount: { path: /tmp, src: tmpfs, fstype: tmpfs, opts: "nosuid,nodev,noexec,mode=1777", state: mounted }\n',
  ],
  deviations: [
    'What is mounted is compared with the wish: its source (devices by where their names lead), its type, `ro`, `nosuid`, `nodev`, `noexec`, `noatime`, `nodiratime`, `sync` and `dirsync`. Other options are compared in fstab alone, as the kernel spells them otherwise.',
    'Where something else is mounted at the path, the task fails; Ansible mounts over it. Of a bind mount, only that something is mounted is known.',
    'The folders that a system stands on, such as `/` and `/var`, are never unmounted or taken out of fstab.',
    '`absent` removes the mount point only where it is an empty folder.',
    'systemd reads fstab again after it was changed.',
    '`opts_no_log` is not known: passwords belong into a file that `credentials=` names.',
  ],
  params,
  probe: (wish): Questions => ({
    ...(needsFile(wish) && editQuestions(editOf(wish))),
    ...(needsLive(wish) && { live: mountedAt({ path: wish.path, src: wish.src }), point: stat(wish.path) }),
  }),
  diff: (wish, state): readonly Change[] => {
    requireKept(wish)
    return [
      ...(needsFile(wish) && !isBare(wish, state)
        ? editDiff(editOf(wish), state, edited(wish, state), false)
        : []),
      ...changes<Change>(...liveChanges(wish, state)),
    ]
  },
  apply: (found, wish, state) => {
    const live = found.find(
      ({ kind, what }) => what === wish.path && ['mounted', 'options', 'remount'].includes(kind),
    )
    const file = found.filter(change => change !== live)
    return [
      ...(file.length > 0 ? editActions(file, editOf(wish), state, edited(wish, state), false) : []),
      ...(file.length > 0 ? [{ do: 'run', script: RELOAD, detached: false } as const] : []),
      ...(live ? [{ do: 'run', script: liveScript(live, wish) } as const] : []),
    ]
  },
  expect: (wish, state) => ({
    ...(needsFile(wish) && !isBare(wish, state) && editAfter(editOf(wish), state, edited(wish, state))),
    ...(state.live && liveAfter(wish, state.live, state.point ?? null)),
  }),
  verifiable: (_, found) => found.length !== 1 || found[0]?.kind !== 'remount',
  touches: (found, { path: point, fstab }) => [
    ...(found.some(({ kind }) => kind === 'lines') ? contentTouches([], [fstab]) : []),
    { kind: 'mount', name: '*' },
    { kind: 'unit', name: '*' },
    ...(found.some(({ what }) => what === point) ? [{ kind: 'tree', name: point } as const] : []),
  ],
  result: ({ path: name, src, fstype, opts, state: wanted, fstab }) => ({
    name,
    src,
    fstype,
    opts,
    state: wanted,
    fstab,
  }),
})

/** Units made of fstab are those of the last reading: https://man7.org/linux/man-pages/man8/systemd-fstab-generator.8.html. */
const RELOAD = sh`[ ! -d /run/systemd/system ] || systemctl daemon-reload`

function needsFile({ state }: Params): boolean {
  return !['unmounted', 'remounted', 'ephemeral'].includes(state)
}

function needsLive({ state }: Params): boolean {
  return !['present', 'absent_from_fstab'].includes(state)
}

function editOf({ fstab, backup, state }: Params): EditWish {
  return { path: fstab, create: ['mounted', 'present'].includes(state), backup }
}

/** There is no file to take anything out of. */
function isBare(wish: Params, state: ContentState): boolean {
  return wish.state.startsWith('absent') && !textNow(editOf(wish), state)
}

function edited(wish: Params, state: ContentState): string {
  const now = textNow(editOf(wish), state)
  const before = now?.text ?? ''
  if (wish.state.startsWith('absent')) return withoutMount(before, asIn(now, wish.path))
  return withMount(before, { ...wish, path: asIn(now, wish.path) })
}

function requireKept({ state, path: point }: Params): void {
  if (!['unmounted', 'absent', 'absent_from_fstab'].includes(state) || !KEPT.includes(point)) return
  throw new TaskError('UNMOUNT_REFUSED', `the system stands on \`${point}\`; it is never unmounted`)
}

function liveChanges(wish: Params, { live, point }: State): readonly (Change | false)[] {
  if (!live) return []
  const { mount: now } = live
  const { path: what, state } = wish
  if (state === 'unmounted' || state === 'absent') {
    return [now !== null && { kind: 'mounted', what, before: now.source, after: null }]
  }
  if (state === 'remounted') {
    if (!now) throw new TaskError('NOT_MOUNTED', `nothing is mounted at \`${what}\``)
    return [{ kind: 'remount', what, before: null, after: 'mounted anew' }]
  }
  const seen = visible(point ?? null)
  if (seen && seen.kind !== 'directory' && !/(^|,)r?bind(,|$)/.test(wish.opts)) {
    throw new TaskError(
      'NOT_A_DIRECTORY',
      `\`${what}\` is a ${seen.kind}, not a folder`,
      'name the folder itself',
    )
  }
  if (!now) return [{ kind: 'mounted', what, before: null, after: wish.src }]
  requireSame(wish, live)
  const missing = missingFlags(wish, live)
  return [missing.length > 0 && { kind: 'options', what, before: now.options, after: missing }]
}

function liveAfter(wish: Params, live: MountedAt, point: Stat): Partial<State> {
  if (['unmounted', 'absent'].includes(wish.state)) return { live: { ...live, mount: null } }
  if (wish.state === 'remounted') return {}
  return { live: mountedAfter(wish, live), point: point ?? newStat('directory', {}) }
}
