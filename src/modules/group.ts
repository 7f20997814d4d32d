import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { ACCOUNT_NAME, group as groupOf, primaryUsers, type Group } from '../probes/accounts.ts'
import { lines, sh } from '../shell/sh.ts'
import { flag } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

export const group = defineModule({
  name: 'group',
  summary: 'Makes, changes or removes a group.',
  examples: [
    '- name: Make the group of the application\n  group:\n    name: app\n    system: true\n',
    '- name: Remove the group of the old application\n  group: { name: oldapp, state: absent }\n',
  ],
  deviations: [
    'A group that is the primary one of a user is not removed; Ansible finds out when the command fails.',
    'A new number is given to the group alone: files keep the old number.',
  ],
  params: z.strictObject({
    name: z.string().regex(ACCOUNT_NAME).describe('Name of the group.'),
    gid: z.coerce.number().int().min(0).max(0xfffffffe).optional().describe('Number of the group.'),
    system: flag().default(false).describe('Take the number of a new group from the range of the system.'),
    non_unique: flag().default(false).describe('The number may belong to another group as well.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
  }),
  probe: ({ name, state }) => ({
    group: groupOf(name),
    ...(state === 'absent' && { primary: primaryUsers(name) }),
  }),
  diff: ({ name, gid, state }, { group: found, primary = [] }) => {
    if (state === 'absent') {
      if (found && primary.length > 0) {
        throw new TaskError(
          'PRIMARY_GROUP',
          `\`${name}\` is the primary group of ${primary.map(user => `\`${user}\``).join(', ')}`,
          'give the users another group, or remove them first',
        )
      }
      return changes(found && { kind: 'group', what: name, before: 'present', after: 'absent' })
    }
    return changes<Change>(
      !found && { kind: 'group', what: name, before: 'absent', after: 'present' },
      found !== null &&
        gid !== undefined &&
        found.gid !== gid && { kind: 'gid', what: name, before: found.gid, after: gid },
    )
  },
  apply: (found, { name, gid, system, non_unique }) => {
    const number = [
      ...(gid === undefined ? [] : ['-g', String(gid)]),
      ...(gid !== undefined && non_unique ? ['-o'] : []),
    ]
    const [change] = found
    const [tool, words] =
      change?.kind === 'gid'
        ? ['groupmod', number]
        : change?.after === 'absent'
          ? ['groupdel', []]
          : ['groupadd', [...(system ? ['-r'] : []), ...number]]
    const script = lines(needs(tool, 'passwd'), sh`${tool} ${[...words, '--', name]}`)
    return [{ do: 'run', script, detached: false }]
  },
  expect: ({ name, gid, state }, { group: found }) => {
    const after: Group = { name, gid: gid ?? found?.gid ?? null, members: found?.members ?? [] }
    return state === 'absent' ? { group: null, primary: [] } : { group: after }
  },
  touches: (found, { name }) => [
    { kind: 'group', name },
    ...(found.some(({ after }) => after !== 'present') ? [{ kind: 'user', name: '*' } as const] : []),
    ...['/etc/group', '/etc/gshadow'].map(file => ({ kind: 'path', name: file }) as const),
  ],
  result: ({ name, state }, { group: found }) => ({ name, state, gid: found?.gid ?? null }),
})
