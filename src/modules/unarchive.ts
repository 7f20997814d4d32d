import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { checksum, readable, type Checksum } from '../probes/checksum.ts'
import { exists } from '../probes/exists.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { record, type Recorded } from '../probes/record.ts'
import { followed, stat, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { account, complain, flag, isLocalFile, local, path, words } from './_params.ts'
import { folderOf, inside, requireFolder } from './_paths.ts'
import { needs } from './_tools.ts'
import { defineModule, type Action } from './module.ts'

const params = z
  .strictObject({
    src: z
      .union([local(), path()])
      .describe('Archive of the project; with `remote_src`, a path on the host.'),
    dest: path().describe('Folder on the host that it is unpacked into.'),
    remote_src: flag().default(false).describe('`src` is a file on the host.'),
    creates: path().optional().describe('Where this path is there, nothing is unpacked.'),
    include: words().default([]).describe('Unpack these members only.'),
    exclude: words().default([]).describe('Leave these members out.'),
    keep_newer: flag().default(false).describe('Leave files alone that are newer than those of the archive.'),
    extra_opts: words().default([]).describe('Further options of `tar` or `unzip`.'),
    owner: account().optional().describe('User that what is unpacked is given to.'),
    group: account().optional().describe('Group that what is unpacked is given to.'),
    list_files: flag().default(false).describe('Accepted for Ansible playbooks; nothing is listed.'),
    validate_certs: flag().default(true).describe('Accepted for Ansible playbooks; nothing is fetched.'),
  })
  .transform((given, context) => {
    const { src } = given
    if (typeof src === 'string' && !given.remote_src)
      complain(context, 'src', 'a file of the project expected')
    if (typeof src !== 'string' && !isLocalFile(src))
      complain(context, 'src', 'a folder found, an archive expected')
    const name = typeof src === 'string' ? src : src.path
    const { dest, include, exclude, keep_newer: keeps, extra_opts: more } = given
    const key = createHash('sha256')
      .update(JSON.stringify([dest, name.replace(/^.*\//, '')]))
      .digest('hex')
    const options = createHash('sha256')
      .update(JSON.stringify([include, exclude, keeps, more]))
      .digest('hex')
    return {
      ...given,
      isZip: /\.(zip|jar|war)$/i.test(name),
      record: `unarchive/${key.slice(0, 32)}`,
      options: options.slice(0, 16),
    }
  })
type Params = z.output<typeof params>

type Questions = {
  readonly dest: Probe<Stat>
  readonly record: Probe<Recorded>
  readonly sum?: Probe<Checksum>
  readonly creates?: Probe<boolean>
}
type State = StateOf<Questions>

export const unarchive = defineModule({
  name: 'unarchive',
  summary: 'Unpacks an archive on the host.',
  examples: [
    '- name: Unpack the exporter\n  unarchive:\n    src: /opt/node_exporter.tar.gz\n    dest: /opt\n    remote_src: true\n',
  ],
  deviations: [
    'What was unpacked is written down under `/var/lib/msingi`, with the checksum of each file: another archive, or a file that was changed or removed since, is a difference.',
    'Members with an absolute path or with `..` in it are refused, and nothing is unpacked then.',
    'Addresses are not taken: `get_url` fetches. `mode` is not taken; permissions are those of the archive.',
  ],
  inputs: { src: 'file' },
  params,
  probe: ({ src, dest, creates, record: name }): Questions => ({
    dest: stat(dest),
    record: record({ name, below: dest }),
    ...(typeof src === 'string' && { sum: checksum({ path: src }) }),
    ...(creates !== undefined && { creates: exists(creates) }),
  }),
  diff: (wish, state): readonly Change[] => {
    if (state.creates === true) return []
    const seen = followed(state.dest)
    if (seen?.kind !== 'directory') requireFolder(inside(wish.dest, '.'), state.dest)
    const after = sumOf(wish, state)
    const [before = null, options] = state.record.head?.split(' ') ?? []
    if (before !== after || options !== wish.options)
      return [{ kind: 'unpack', what: wish.dest, before, after }]
    return state.record.wrong.map(name => ({
      kind: 'content',
      what: inside(wish.dest, name),
      before: 'other',
      after: 'as in the archive',
    }))
  },
  apply: (_, wish, state): readonly Action[] => {
    const { path: written } = state.record
    const folder = folderOf(written)
    const script = (archive: string): Action => ({ do: 'run', script: unpackScript(archive, wish, state) })
    const room: Action = { do: 'run', script: sh`umask 077; mkdir -p -- ${folder} || exit`, detached: false }
    if (!isLocalFile(wish.src)) return [room, script(pathOf(wish.src))]
    const archive = `${written}.archive`
    return [room, { do: 'write', path: archive, content: wish.src, mode: '0600' }, script(archive)]
  },
  expect: (wish, state) => ({
    ...state,
    record: { ...state.record, head: `${sumOf(wish, state)} ${wish.options}`, wrong: [] },
    ...(wish.creates !== undefined && { creates: true }),
  }),
  touches: (_, { dest, record: name }) => [
    { kind: 'tree', name: dest },
    { kind: 'tree', name: `/var/lib/msingi/${name}` },
  ],
  brings: (_, { dest }) => [{ kind: 'tree', name: dest }],
  result: (wish, state) => ({
    dest: wish.dest,
    src: isLocalFile(wish.src) ? wish.src.path : wish.src,
    handler: wish.isZip ? 'ZipArchive' : 'TarArchive',
    ...(state.creates !== true && { checksum: sumOf(wish, state) }),
  }),
})

/** @throws TaskError with code `SOURCE_MISSING`. */
function sumOf({ src }: Params, state: State): string {
  if (isLocalFile(src)) return src.sha256
  const sum = readable(state.sum ?? null)
  if (sum !== null) return sum
  throw new TaskError('SOURCE_MISSING', `the archive \`${pathOf(src)}\` is not on the host`)
}

/** Names are looked at before anything is unpacked; what was unpacked is written down once all of it is there. */
function unpackScript(archive: string, wish: Params, state: State): Sh {
  const { dest, owner, group, src } = wish
  const { path: written } = state.record
  const both = `${owner ?? ''}${group === undefined ? '' : `:${group}`}`
  const files = sh`printf '%s\\n' "$n" | while IFS= read -r f; do`
  return lines(
    sh`umask 022; a=${archive}`,
    isLocalFile(src) && sh`trap 'rm -f -- "$a"' EXIT; trap 'exit 143' HUP INT TERM`,
    wish.isZip ? needs('unzip', 'unzip') : needs('tar', 'tar'),
    sh`n=$(${listing(wish)}) || exit`,
    sh`if printf '%s\\n' "$n" | grep -qE '^/|(^|/)\\.\\.(/|$)'; then echo 'a member of the archive would leave the folder; nothing was unpacked' >&2; exit 1; fi`,
    sh`rm -f -- ${written} && cd -- ${dest} && ${unpacking(wish)} || exit`,
    both !== '' &&
      sh`${files} [ ! -e "$f" ] && [ ! -h "$f" ] || chown -h -- ${both} "$f" || exit; done || exit`,
    sh`s=$(sha256sum <"$a") && { printf '%s %s\\n' "\${s%% *}" ${wish.options}`,
    sh`${files} [ ! -f "$f" ] || [ -h "$f" ] || printf '%s\\0' "$f"; done | xargs -0 -r sha256sum --`,
    sh`} >${`${written}.new`} && mv -f -- ${`${written}.new`} ${written} || exit; sync`,
  )
}

function listing({ isZip, include, exclude }: Params): Sh {
  if (isZip) return sh`unzip -Z1 "$a" ${include} ${exclude.length > 0 ? sh`-x ${exclude}` : sh``}`
  return sh`tar -tf "$a" ${exclude.map(name => `--exclude=${name}`)} ${include}`
}

function unpacking({ isZip, include, exclude, keep_newer: keeps, extra_opts: more }: Params): Sh {
  if (isZip) {
    return sh`unzip -q ${keeps ? '-uo' : '-o'} ${more} "$a" ${include} ${exclude.length > 0 ? sh`-x ${exclude}` : sh``}`
  }
  return sh`tar -xf "$a" ${keeps ? sh`--keep-newer-files` : sh``} ${more} ${exclude.map(name => `--exclude=${name}`)} ${include}`
}

function pathOf(src: Params['src']): string {
  return typeof src === 'string' ? src : src.path
}
