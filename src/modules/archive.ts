import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { checksum, readable, type Checksum } from '../probes/checksum.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { record, type Recorded } from '../probes/record.ts'
import { followed, stat, visible, type Stat } from '../probes/stat.ts'
import { tree, type Tree } from '../probes/tree.ts'
import { lines, sh } from '../shell/sh.ts'
import { attributeChanges, attributeScript, describe } from './_attributes.ts'
import { contentTouches, keptOwnership } from './_content.ts'
import { freshFileScript } from './_fresh-file.ts'
import { complain, ownership, path, words } from './_params.ts'
import { folderOf, requireFolder } from './_paths.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const FLAGS = { tar: undefined, gz: 'gzip', bz2: 'bzip2', xz: 'xz' } as const

const params = z
  .strictObject({
    path: z
      .union([path().transform(one => [one]), z.array(path()).min(1)])
      .describe('Files and folders to put into it.'),
    dest: path().describe('Absolute path of the archive.'),
    format: z
      .enum(Object.keys(FLAGS) as (keyof typeof FLAGS)[])
      .default('gz')
      .describe('How it is compressed.'),
    exclude_path: z.array(path()).default([]).describe('Files and folders to leave out.'),
    exclusion_patterns: words().default([]).describe('Patterns of names to leave out.'),
    ...ownership,
  })
  .transform((given, context) => {
    if (given.path.some(one => given.dest === one || given.dest.startsWith(one === '/' ? '/' : `${one}/`)))
      complain(context, 'dest', 'the archive would hold itself; a path elsewhere expected')
    const key = createHash('sha256').update(given.dest).digest('hex').slice(0, 32)
    return { ...given, sources: given.path, record: `archive/${key}` }
  })
type Params = z.output<typeof params>

type Questions = {
  readonly dest: Probe<Stat>
  readonly folder: Probe<Stat>
  readonly sum: Probe<Checksum>
  readonly record: Probe<Recorded>
  readonly [source: `/${string}`]: Probe<Stat>
  readonly [sum: `sum /${string}`]: Probe<Checksum>
  readonly [tree: `tree /${string}`]: Probe<Tree | null>
}
type State = StateOf<Questions>

export const archive = defineModule({
  name: 'archive',
  summary: 'Puts files and folders of the host into an archive.',
  examples: [
    '- name: Pack the settings before the upgrade\n  archive:\n    path: /etc/app\n    dest: /srv/backup/app-etc.tar.gz\n    mode: "0600"\n',
  ],
  deviations: [
    'What went into the archive is written down under `/var/lib/msingi`; it is made anew where names, permissions or contents differ since, or the archive itself does.',
    'Always a tar, also for one file; `zip`, `remove` and patterns in `path` are not taken.',
  ],
  params,
  probe: ({ sources, dest, record: name }): Questions => ({
    dest: stat(dest),
    folder: stat(folderOf(dest)),
    sum: checksum({ path: dest }),
    record: record({ name }),
    ...sourceQuestions(sources),
  }),
  diff: (wish, state: State): readonly Change[] => {
    const { dest } = wish
    const seen = followed(state.dest)
    if (seen && seen.kind !== 'file')
      throw new TaskError('NOT_A_FILE', `\`${dest}\` is a ${seen.kind}, not a file`)
    if (!seen) requireFolder(dest, state.folder)
    const attributes = seen ? attributeChanges(dest, seen, wish) : []
    const manifest = manifestOf(wish, state)
    const sum = seen ? readable(state.sum) : null
    if (sum !== null && state.record.head === `${manifest} ${sum}`) return attributes
    const before = seen ? (state.record.head ?? 'not made here').slice(0, 16) : null
    return [{ kind: 'archive', what: dest, before, after: manifest.slice(0, 16) }, ...attributes]
  },
  apply: (found, wish, state: State) => {
    if (!found.some(({ kind }) => kind === 'archive'))
      return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
    const { dest, format, sources, exclude_path: left, exclusion_patterns: patterns } = wish
    const { path: written } = state.record
    const excluded = [...left.map(one => one.slice(1)), ...patterns].map(one => `--exclude=${one}`)
    const program = FLAGS[format]
    const fill = lines(
      needs('tar', 'tar'),
      program !== undefined && needs(program, program === 'xz' ? 'xz-utils' : program),
      sh`tar -cf - -C / ${excluded} -- ${sources.map(one => one.slice(1) || '.')} >"$t" || exit`,
      program !== undefined &&
        sh`${program} <"$t" >"$t.z" && mv -f -- "$t.z" "$t" || { s=$?; rm -f -- "$t.z"; exit $s; }`,
      sh`s=$(sha256sum <"$t") || exit`,
    )
    const script = lines(
      freshFileScript(dest, fill, keptOwnership(wish, followed(visible(state.dest)))),
      sh`mkdir -p -- ${folderOf(written)} && printf '%s %s\\n' ${manifestOf(wish, state)} "\${s%% *}" >${`${written}.new`} && mv -f -- ${`${written}.new`} ${written} || exit`,
    )
    return [{ do: 'run', script }]
  },
  touches: (found, { dest, record: name }) => [
    ...contentTouches(found, [dest]),
    { kind: 'tree', name: `/var/lib/msingi/${name}` },
  ],
  // What goes into it stays as it is, and so does the folder it lies in.
  foretells: (_, { dest, sources }, state) => [
    [stat(folderOf(dest)), state.folder],
    ...Object.entries(sourceQuestions(sources)).map(
      ([name, question]) => [question, state[name as `/${string}`]] as const,
    ),
  ],
  result: ({ dest, sources }, state: State) => {
    const seen = followed(state.dest)
    return { dest, archived: sources, ...(seen && describe(seen)) }
  },
})

function sourceQuestions(sources: readonly string[]): Pick<Questions, `/${string}`> {
  return Object.assign(
    {},
    ...sources.map(one => ({
      [one]: stat(one),
      [`sum ${one}`]: checksum({ path: one }),
      [`tree ${one}`]: tree({ path: one, sums: true }),
    })),
  ) as Record<`/${string}`, Probe<Stat>>
}

/**
 * Returns one hash of names, permissions and contents of all that goes into the archive.
 *
 * @throws TaskError with code `SOURCE_MISSING`.
 */
function manifestOf(
  { sources, format, exclude_path: left, exclusion_patterns: patterns }: Params,
  state: State,
): string {
  const hash = createHash('sha256').update(JSON.stringify([format, left, patterns]))
  for (const source of sources) {
    const seen = visible(state[source as `/${string}`] ?? null)
    if (!seen) throw new TaskError('SOURCE_MISSING', `\`${source}\` is not on the host`)
    const sum = seen.kind === 'file' ? readable(state[`sum ${source}` as `sum /${string}`] ?? null) : null
    hash.update(JSON.stringify([source, seen.kind, seen.mode, seen.uid, seen.gid, seen.target, sum]))
    const entries = state[`tree ${source}` as `tree /${string}`]?.entries ?? []
    for (const { name, kind, mode, uid, gid, sha256, target } of entries.toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ))
      if (!left.some(one => `${source}/${name}` === one || `${source}/${name}`.startsWith(`${one}/`)))
        hash.update(JSON.stringify([name, kind, mode, uid, gid, sha256, target]))
  }
  return hash.digest('hex')
}
