import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { kernelModule, moduleName, type KernelModule } from '../probes/kernel-module.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { lines, sh } from '../shell/sh.ts'
import { contentTouches, type ContentQuestions } from './_content.ts'
import { editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { withoutPair, withPair } from './_pairs.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const params = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w-]*$/)
    .describe('Name of the module.'),
  params: z
    .string()
    .regex(/^[^\n]*$/)
    .default('')
    .describe('Parameters that it is loaded with.'),
  state: z.enum(['present', 'absent']).default('present').describe('Whether the kernel should have it.'),
  persistent: z
    .enum(['disabled', 'present', 'absent'])
    .default('disabled')
    .describe('Whether it is loaded when the host starts: `disabled` leaves that as it is.'),
})
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly live: Probe<KernelModule> }
type State = StateOf<Questions>

export const modprobe = defineModule({
  name: 'modprobe',
  summary: 'Loads modules into the kernel, now and when the host starts.',
  examples: [
    '- name: Let bridges be filtered\n  modprobe: { name: br_netfilter, persistent: present }\n',
    '- name: Have one loop device for each part\n  modprobe:\n    name: loop\n    params: max_part=8\n    persistent: present\n',
  ],
  deviations: [
    'The files `/etc/modules-load.d/NAME.conf` and `/etc/modprobe.d/NAME.conf` are kept; what other files say of the module is left alone.',
    'A module that is part of the kernel counts as loaded, and cannot be removed.',
    'Parameters hold from the next time that the module is loaded; one that is loaded keeps its own.',
  ],
  params,
  probe: (wish): Questions =>
    files(wish).reduce<Questions>((asked, { file }) => ({ ...asked, ...editQuestions(file) }), {
      live: kernelModule(wish.name),
    }),
  diff: (wish, state): readonly Change[] => {
    const { name, state: wanted } = wish
    if (state.live === 'builtin' && wanted === 'absent') {
      throw new TaskError('MODULE_BUILTIN', `\`${name}\` is part of the kernel and cannot be removed`)
    }
    return [
      ...changes(
        (wanted === 'present') !== (state.live !== null) && {
          kind: 'live',
          what: name,
          before: state.live ?? 'absent',
          after: wanted === 'present' ? 'loaded' : 'absent',
        },
      ),
      ...edits(wish, state).flatMap(([file, text]) => editDiff(file, state, text, false)),
    ]
  },
  apply: (found, wish, state) => {
    const script = lines(
      needs('modprobe', 'kmod'),
      wish.state === 'present'
        ? sh`modprobe -- ${wish.name} ${wish.params.split(/\s+/).filter(word => word !== '')}`
        : sh`modprobe -r -- ${wish.name}`,
    )
    const live = found.some(({ kind }) => kind === 'live')
    return [
      ...(live ? [{ do: 'run', script, detached: false } as const] : []),
      ...edits(wish, state).flatMap(([file, text]) => {
        const own = found.filter(({ kind, what }) => kind !== 'live' && what === file.path)
        return own.length > 0 ? editActions(own, file, state, text, false) : []
      }),
    ]
  },
  expect: (wish, state) => ({
    ...edits(wish, state).reduce<State>(
      (after, [file, text]) => ({ ...after, ...editAfter(file, after, text) }),
      state,
    ),
    live: wish.state === 'absent' ? null : (state.live ?? 'loaded'),
  }),
  touches: (found, { name }) => [
    ...contentTouches(
      found.filter(({ kind }) => kind !== 'live'),
      [],
    ),
    { kind: 'host', name: `kernel-module ${moduleName(name)}` },
    { kind: 'sysctl', name: '*' },
    { kind: 'device', name: '*' },
  ],
  result: ({ name, params: given, state: wanted }) => ({ name, params: given, state: wanted }),
})

interface Kept {
  readonly file: EditWish
  /** Undefined where the file should say nothing of the module. */
  readonly line: string | undefined
  readonly own: RegExp
}

function files({ name, params: given, persistent }: Params): readonly Kept[] {
  if (persistent === 'disabled') return []
  const isKept = persistent === 'present'
  const spelt = moduleName(name).replaceAll('_', '[-_]')
  const at = (folder: string, isNeeded: boolean): EditWish => ({
    path: `/etc/${folder}/${name}.conf`,
    create: isNeeded,
    backup: false,
  })
  const hasParams = isKept && given !== ''
  return [
    {
      file: at('modules-load.d', isKept),
      line: isKept ? name : undefined,
      own: new RegExp(`^\\s*${spelt}\\s*$`),
    },
    {
      file: at('modprobe.d', hasParams),
      line: hasParams ? `options ${name} ${given}` : undefined,
      own: new RegExp(`^\\s*options\\s+${spelt}(\\s|$)`),
    },
  ]
}

/** The texts of the files that are there, or are to be. */
function edits(wish: Params, state: State): readonly (readonly [EditWish, string])[] {
  return files(wish).flatMap(({ file, line, own }) => {
    const now = textNow(file, state)
    const isOwn = (row: string): boolean => own.test(row.trimEnd())
    if (line === undefined) return now ? [[file, withoutPair(now.text, isOwn)] as const] : []
    return [[file, withPair(now?.text ?? '', { isOwn, isRight: row => row.trim() === line, line })] as const]
  })
}
