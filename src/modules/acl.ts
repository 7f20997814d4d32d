import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { acl as aclOf, type AclEntries } from '../probes/acl.ts'
import { pathResources } from '../probes/resources.ts'
import { lines, sh } from '../shell/sh.ts'
import { account, complain, flag, place, placed } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const { path, name } = place

const params = z
  .strictObject({
    path,
    name,
    entity: account().optional().describe('Name or number of the user or group that the entry is for.'),
    etype: z.enum(['user', 'group', 'mask', 'other']).optional().describe('What the entry is for.'),
    permissions: z
      .string()
      .regex(/^(?=.)r?w?x?$|^[r-][w-][x-]$/, 'letters of `rwx` expected')
      .optional()
      .describe('What it allows, such as `rx`; `-` stands in for what it does not.'),
    default: flag().default(false).describe('The entry is one that new files in the folder get.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether there should be the entry.'),
    recalculate_mask: z
      .enum(['default', 'mask', 'no_mask'])
      .default('default')
      .describe(
        'Whether the mask is set to what all entries need: where it is not given (`default`), always, or never.',
      ),
  })
  .transform(({ etype, permissions, ...given }, context) => {
    const { entity = '', state } = given
    const at = placed(given, context)
    if (etype === undefined) complain(context, 'etype', '`etype` is missing', 'MISSING_PARAM')
    if ((etype === 'mask' || etype === 'other') && entity !== '')
      complain(context, 'entity', 'an entry for a user or group expected')
    if (state === 'present' && permissions === undefined)
      complain(context, 'permissions', '`permissions` is missing', 'MISSING_PARAM')
    if (state === 'absent' && entity === '')
      complain(context, 'entity', 'only entries of named users and groups can be taken away', 'MISSING_PARAM')
    const letters = ['r', 'w', 'x'].map(letter => (permissions?.includes(letter) ? letter : '-')).join('')
    const entry = `${given.default ? 'default:' : ''}${etype ?? ''}:${entity}`
    return { ...given, path: at, entry, letters, byNumber: /^\d+$/.test(entity) }
  })

export const acl = defineModule({
  name: 'acl',
  summary: 'Keeps an entry in the access list of a file or folder.',
  examples: [
    '- name: Let the web server read the key\n  acl:\n    path: /etc/ssl/private/clinic.key\n    entity: www-data\n    etype: user\n    permissions: r\n',
  ],
  deviations: [
    'One path: `recursive` is not taken, and neither are `entry`, `follow` and NFS lists. A symbolic link stands for what it leads to.',
    'There is no `state: query`; `X` as a permission is not taken.',
  ],
  params,
  probe: ({ path: at, byNumber }) => ({ entries: aclOf({ path: at, byNumber }) }),
  diff: ({ path: at, entry, letters, state }, { entries }): readonly Change[] => {
    const before = permissionsIn(listed(at, entries), entry)
    const what = `${at}: ${entry}`
    if (state === 'absent')
      return changes(before !== null && { kind: 'entry', what, before, after: 'absent' })
    return changes(before !== letters && { kind: 'entry', what, before: before ?? 'absent', after: letters })
  },
  apply: (_, { path: at, entry, letters, state, recalculate_mask: mask }) => {
    const more = { default: [], mask: ['--mask'], no_mask: ['-n'] }[mask]
    const words = state === 'absent' ? ['-x', entry] : ['-m', `${entry}:${letters}`]
    return [
      {
        do: 'run',
        script: lines(needs('setfacl', 'acl'), sh`setfacl ${[...more, ...words]} -- ${at}`),
        detached: false,
      },
    ]
  },
  expect: ({ path: at, entry, letters, state }, { entries }) => {
    const others = listed(at, entries).filter(row => !isOf(row, entry))
    return { entries: state === 'absent' ? others : [...others, `${entry}:${letters}`] }
  },
  touches: (_, { path: at }) => pathResources(at),
  result: (_, { entries }) => ({ acl: Array.isArray(entries) ? entries : [] }),
})

function isOf(row: string, entry: string): boolean {
  return row.slice(0, row.lastIndexOf(':')) === entry
}

function permissionsIn(entries: AclEntries, entry: string): string | null {
  return entries.find(row => isOf(row, entry))?.slice(-3) ?? null
}

/** @throws TaskError with code `FILE_MISSING`, `ACL_MISSING` or `PROBE_UNREADABLE`. */
function listed(path: string, entries: AclEntries | { readonly problem: string } | null): AclEntries {
  if (entries === null) throw new TaskError('FILE_MISSING', `\`${path}\` is not there`)
  if (!('problem' in entries)) return entries
  if (entries.problem === 'missing')
    throw new TaskError('ACL_MISSING', '`getfacl` is missing on the host', 'install the package `acl` first')
  throw new TaskError(
    'PROBE_UNREADABLE',
    `the access list of \`${path}\` may not be read`,
    'run the task with `become: true`',
  )
}
