import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { sysctl } from '../probes/sysctl.ts'
import { lines, sh } from '../shell/sh.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const FILE: EditWish = { path: '/etc/hostname', create: true, backup: false }

export const hostname = defineModule({
  name: 'hostname',
  summary: 'Names the host, now and after every start.',
  examples: ['- name: Name the host\n  hostname:\n    name: clinic-7\n'],
  deviations: [
    '`/etc/hostname` and the running kernel are set directly, whatever the system; `use` is accepted and means nothing.',
    '`/etc/hosts` is left alone, as in Ansible: `lineinfile` keeps the address of the name there.',
  ],
  params: z.strictObject({
    name: z
      .string()
      .max(64, 'at most 64 characters expected')
      .regex(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/)
      .describe('Name of the host, with or without its domain.'),
    use: z.string().optional().describe('Accepted for Ansible playbooks; it means nothing.'),
  }),
  probe: () => ({ ...editQuestions(FILE), live: sysctl('kernel.hostname') }),
  diff: ({ name }, state): readonly Change[] => [
    ...editDiff(FILE, state, edited(name, state), false),
    ...changes(
      state.live?.value !== name && {
        kind: 'live',
        what: 'hostname',
        before: state.live?.value ?? null,
        after: name,
      },
    ),
  ],
  apply: (found, { name }, state) => {
    const file = found.filter(({ kind }) => kind !== 'live')
    const script = lines(needs('hostname', 'hostname'), sh`hostname ${name}`)
    return [
      ...(file.length > 0 ? editActions(file, FILE, state, edited(name, state), false) : []),
      ...(found.length > file.length ? [{ do: 'run', script, detached: false } as const] : []),
    ]
  },
  expect: ({ name }, state) => ({
    ...editAfter(FILE, state, edited(name, state)),
    live: { value: name, writable: state.live?.writable ?? true },
  }),
  touches: found => [
    ...contentTouches(
      found.filter(({ kind }) => kind !== 'live'),
      [FILE.path],
    ),
    { kind: 'host', name: 'hostname' },
    { kind: 'sysctl', name: 'kernel.hostname' },
  ],
  result: ({ name }) => ({ name }),
})

/** Lines that begin with `#` are no name: hostname(5). */
function edited(name: string, state: ContentState): string {
  const now = textNow(FILE, state)?.text ?? ''
  const [first] = now.split('\n').filter(row => row.trim() !== '' && !row.startsWith('#'))
  return first?.trim() === name ? now : `${name}\n`
}
