import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { followed, stat, type FileStat, type Stat } from '../probes/stat.ts'
import { tree, type Tree, type TreeEntry } from '../probes/tree.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { attributeChanges, newStat } from './_attributes.ts'
import { draftScript } from './_drafts.ts'
import { account, complain, flag, isLocalTree, local, path, words } from './_params.ts'
import { baseOf, folderOf, inside, requireFolder } from './_paths.ts'
import { removalScript, requireRemovable } from './_removal.ts'
import { tarball } from './_tar.ts'
import { needs } from './_tools.ts'
import type { LocalEntry } from './_local.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    src: local().describe('Folder of the project; with a closing slash, what is in it.'),
    dest: path().describe('Folder on the host; the one it lies in must be there.'),
    mode: z.enum(['push']).default('push').describe('Only `push`: from the controller to the host.'),
    delete: flag()
      .default(false)
      .describe('Remove what is in the folder on the host and not in that of the project.'),
    exclude: words()
      .default([])
      .describe('Names, or paths below the folder, that are left alone on both sides.'),
    perms: flag().default(true).describe('Keep permissions as well.'),
    owner: account().optional().describe('User that everything is given to.'),
    group: account().optional().describe('Group that everything is given to.'),
    recursive: flag().default(true).describe('Accepted for Ansible playbooks; always.'),
    archive: flag().default(true).describe('Accepted for Ansible playbooks.'),
    checksum: flag().default(true).describe('Accepted for Ansible playbooks; contents are always compared.'),
    compress: flag().default(true).describe('Accepted for Ansible playbooks; always.'),
  })
  .transform(({ src, dest, ...given }, context) => {
    if (!isLocalTree(src)) complain(context, 'src', 'a file found, a folder expected; `copy` is for files')
    const all = isLocalTree(src) ? src.entries : []
    const isOut = (name: string): boolean =>
      given.exclude.some(one =>
        name.split('/').some((step, at, steps) => step === one || steps.slice(0, at + 1).join('/') === one),
      )
    const root = src.path.endsWith('/') ? dest : inside(dest, baseOf(src.path))
    return { ...given, src, root, isOut, entries: all.filter(({ name }) => !isOut(name)) }
  })
type Params = z.output<typeof params>
type Questions = {
  readonly root: Probe<Stat>
  readonly above: Probe<Stat>
  readonly tree: Probe<Tree | null>
}
type State = StateOf<Questions>

export const synchronize = defineModule({
  name: 'synchronize',
  summary: 'Makes a folder on the host the same as one of the project.',
  examples: [
    '- name: Bring the web pages\n  synchronize:\n    src: pages/\n    dest: /srv/www\n    delete: true\n',
  ],
  deviations: [
    'It needs no rsync and no second connection: all files are compared by checksum in one question, and those that differ travel in one compressed stream. A run that was cut off is taken up where it stood.',
    'Only `push` from the controller. Owners are as `owner` and `group` say, or those of the user that the task runs as; times are not kept.',
    'Options of rsync are not taken; `exclude` is a list of names or paths.',
    'A file never takes the place of a folder, nor a folder that of a file or link.',
  ],
  inputs: { src: 'tree' },
  params,
  probe: ({ root }): Questions => ({
    root: stat(root),
    above: stat(folderOf(root)),
    tree: tree({ path: root, sums: true }),
  }),
  diff: (wish, state): readonly Change[] => {
    const { root, entries, isOut } = wish
    const seen = followed(state.root)
    if (!seen) requireFolder(root, state.above)
    if (seen && seen.kind !== 'directory')
      throw new TaskError('NOT_A_DIRECTORY', `\`${root}\` is a ${seen.kind}, not a folder`)
    const found = new Map((state.tree?.entries ?? []).map(entry => [entry.name, entry]))
    const wanted = new Set(entries.map(({ name }) => name))
    const extra = wish.delete ? [...found.keys()].filter(name => !wanted.has(name) && !isOut(name)) : []
    if (extra.length > 0) requireRemovable(root)
    return [
      ...(seen ? [] : [{ kind: 'state', what: root, before: 'absent', after: 'directory' }]),
      ...entries.flatMap(entry => entryChanges(entry, found.get(entry.name), wish)),
      ...extra
        .filter(name => !extra.includes(folderOf(`/${name}`).slice(1)))
        .map(name => goneChange(inside(root, name))),
    ]
  },
  apply: (found, wish) => {
    const sent = found.filter(({ kind }) => kind === 'content' || kind === 'link').map(({ what }) => what)
    const members = wish.entries.filter(({ name }) => sent.includes(inside(wish.root, name)))
    if (members.length === 0) return [{ do: 'run', script: foldersAndRest(found, wish) }]
    const bytes = tarball(
      members.map(({ name, mode, file, target }) => ({ name, mode, target, content: file?.content() })),
    )
    const draft = `/var/tmp/msingi-${createHash('sha256').update(wish.root).update(bytes).digest('hex').slice(0, 32)}.tgz`
    return [
      { do: 'write', path: draft, follow: false, content: bytes, mode: '0600' },
      {
        do: 'run',
        script: lines(
          sh`trap 'rm -f -- '${draft} EXIT; trap 'exit 143' HUP INT TERM`,
          foldersFirst(found, wish),
          unpacking(draft, wish.root),
          foldersAndRest(found, wish),
        ),
      },
    ]
  },
  expect: (wish, state) => ({
    ...state,
    root: state.root ?? newStat('directory', {}),
    tree: {
      now: state.tree?.now ?? 0,
      entries: [...keptEntries(wish, state), ...wish.entries.map(entry => wishedEntry(entry, wish, state))],
    },
  }),
  touches: (_, { root }) => [{ kind: 'tree', name: root }],
  result: ({ root, src }) => ({ dest: root, src: src.path }),
})

const KINDS = { file: 'file', directory: 'directory', link: 'link' } as const

function entryChanges(entry: LocalEntry, seen: TreeEntry | undefined, wish: Params): readonly Change[] {
  const what = inside(wish.root, entry.name)
  if (seen) refuseOtherKind(what, entry, seen)
  const attributes = seen ? attributeChanges(what, seen, ownershipOf(entry, wish)) : []
  const rest = seen?.kind === entry.kind ? attributes : []
  if (entry.kind === 'directory')
    return seen ? rest : [{ kind: 'state', what, before: 'absent', after: 'directory' }]
  const [kind, before, after] = holdings(entry, seen)
  return before === after && seen?.kind === entry.kind
    ? rest
    : [{ kind, what, before: before ?? (seen ? seen.kind : null), after }, ...rest]
}

/** What a link or file holds, and what it should hold. */
function holdings(entry: LocalEntry, seen: TreeEntry | undefined): readonly [string, string | null, string] {
  if (entry.kind === 'link') return ['link', seen?.target ?? null, entry.target ?? '']
  return ['content', seen?.sha256 ?? null, entry.file?.sha256 ?? '']
}

function refuseOtherKind(what: string, entry: LocalEntry, seen: TreeEntry): void {
  const isFolder = entry.kind === 'directory' || seen.kind === 'directory'
  if (seen.kind === KINDS[entry.kind] || !isFolder) return
  throw new TaskError(
    'OTHER_KIND',
    `\`${what}\` is a ${seen.kind}, and a ${entry.kind} in the project`,
    'remove it by hand',
  )
}

function ownershipOf(
  { kind, mode }: LocalEntry,
  { perms, owner, group }: Params,
): { mode?: string; owner: string | undefined; group: string | undefined } {
  return { owner, group, ...(perms && kind !== 'link' && { mode: mode.toString(8).padStart(4, '0') }) }
}

function goneChange(what: string): Change {
  return { kind: 'state', what, before: 'present', after: 'absent', destroys: true }
}

function foldersFirst(found: readonly Change[], wish: Params): Sh {
  const made = found
    .filter(({ after, kind }) => kind === 'state' && after === 'directory')
    .map(({ what }) => what)
  return lines(
    sh`umask 022`,
    needs('tar', 'tar'),
    made.length > 0 && sh`mkdir -p -- ${made} || exit`,
    sh`[ -d ${wish.root} ] || exit`,
  )
}

/** Files are unpacked beside their places and moved there one by one, each in one step. */
function unpacking(draft: string, root: string): Sh {
  return lines(
    draftScript(inside(root, 'tree'), 'folder'),
    sh`trap 'rm -rf -- '${draft}' "$t"' EXIT`,
    sh`tar -xpmzf ${draft} -C "$t" && cd -- "$t" || exit`,
    sh`find . ! -type d -exec sh -c 'r=$1; shift; for f do mv -f -- "$f" "$r/$f" || exit; done' sh ${root} {} + || exit; cd /; sync`,
  )
}

/** Owners and permissions of all that is new or differs, then what goes. */
function foldersAndRest(found: readonly Change[], wish: Params): Sh {
  const both = `${wish.owner ?? ''}${wish.group === undefined ? '' : `:${wish.group}`}`
  const gone = found
    .filter(({ after, kind }) => kind === 'state' && after === 'absent')
    .map(({ what }) => what)
  const touched = [...new Set(found.map(({ what }) => what))].filter(what => !gone.includes(what))
  const modes = Map.groupBy(
    wish.entries.filter(({ name, kind }) => kind !== 'link' && touched.includes(inside(wish.root, name))),
    ({ mode }) => mode.toString(8).padStart(5, '0'),
  )
  return lines(
    foldersFirst(found, wish),
    both !== '' && touched.length > 0 && sh`chown -h -- ${both} ${touched} || exit`,
    ...(wish.perms
      ? [...modes].map(
          ([mode, entries]) =>
            sh`chmod -- ${mode} ${entries.map(({ name }) => inside(wish.root, name))} || exit`,
        )
      : []),
    ...gone.map(what => removalScript(what, true)),
  )
}

function keptEntries({ entries, isOut, delete: deletes }: Params, state: State): readonly TreeEntry[] {
  const names = new Set(entries.map(({ name }) => name))
  return (state.tree?.entries ?? []).filter(({ name }) => !names.has(name) && (!deletes || isOut(name)))
}

function wishedEntry(entry: LocalEntry, wish: Params, state: State): TreeEntry {
  const seen: FileStat | undefined = state.tree?.entries.find(
    ({ name, kind }) => name === entry.name && kind === entry.kind,
  )
  const { owner, group, mode } = ownershipOf(entry, wish)
  const base = seen ?? newStat(entry.kind, { owner, group }, entry.file?.bytes ?? 0)
  return {
    ...base,
    ...newStat(
      entry.kind,
      { mode: mode ?? base.mode, owner: owner ?? String(base.uid), group: group ?? String(base.gid) },
      entry.file?.bytes ?? 0,
    ),
    name: entry.name,
    ...(entry.file && { sha256: entry.file.sha256 }),
    ...(entry.target !== undefined && { target: entry.target }),
  }
}
