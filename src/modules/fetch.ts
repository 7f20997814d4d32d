import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { checksum, readable } from '../probes/checksum.ts'
import { followed, stat } from '../probes/stat.ts'
import { flag, path } from './_params.ts'
import type { LocalPlace } from './_local.ts'
import { defineModule } from './module.ts'

const params = z.strictObject({
  src: path().describe('Absolute path of the file on the host.'),
  dest: z
    .custom<LocalPlace>(
      value => typeof value === 'object' && value !== null && 'sumOf' in value,
      'a path expected',
    )
    .describe('Folder on the controller; relative to the playbook. The file goes to `dest/HOST/SRC`.'),
  flat: flag()
    .default(false)
    .describe('Put the file to `dest` itself, or under its own name into it where it ends in a slash.'),
  fail_on_missing: flag().default(true).describe('Fail where there is no such file.'),
  validate_checksum: flag().default(true).describe('Accepted for Ansible playbooks; it is always verified.'),
})
type Params = z.output<typeof params>

export const fetch = defineModule({
  name: 'fetch',
  summary: 'Brings a file of the host to the controller.',
  examples: [
    '- name: Keep the certificate request\n  fetch:\n    src: /etc/app/server.csr\n    dest: requests\n',
  ],
  deviations: [
    'The controller chooses the name; nothing is written outside of `dest`, symbolic links followed.',
    'Checksums are SHA-256. In `plan` and `drift` nothing is fetched; a missing or different copy is no drift of the host.',
  ],
  inputs: { dest: 'place' },
  params,
  probe: ({ src }) => ({ file: stat(src), sum: checksum({ path: src }) }),
  diff: (wish, state): readonly Change[] => {
    const seen = followed(state.file)
    if (!seen && !wish.fail_on_missing) return []
    if (!seen) throw new TaskError('FILE_MISSING', `\`${wish.src}\` is not there`)
    if (seen.kind !== 'file')
      throw new TaskError('NOT_A_FILE', `\`${wish.src}\` is a ${seen.kind}, not a file`)
    const [before, after] = [wish.dest.sumOf(targetOf(wish)) ?? null, readable(state.sum)]
    return before === after ? [] : [{ kind: 'copy', what: targetOf(wish), before, after }]
  },
  apply: (_, wish, state) => [
    {
      do: 'keep',
      path: wish.src,
      bytes: followed(state.file)?.size ?? 0,
      sha256: readable(state.sum) ?? '',
      to: targetOf(wish),
      root: rootOf(wish),
    },
  ],
  touches: () => [],
  verifiable: () => false,
  result: (wish, state) => {
    const sum = readable(state.sum)
    return { src: wish.src, dest: targetOf(wish), ...(sum !== null && { checksum: sum }) }
  },
})

function targetOf(wish: Params): string {
  const { dest, src, flat } = wish
  const folder = dest.path.replace(/\/$/, '')
  if (!flat) return `${folder}/${dest.host.replaceAll('/', '_')}${src}`
  return dest.path.endsWith('/') ? `${folder}/${src.slice(src.lastIndexOf('/') + 1)}` : dest.path
}

function rootOf({ dest, flat }: Params): string {
  if (flat && !dest.path.endsWith('/')) return dest.path.slice(0, dest.path.lastIndexOf('/')) || '/'
  return dest.path.replace(/(?<=.)\/$/, '')
}
