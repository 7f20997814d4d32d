import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { isRecursable, offenders, repairScript } from '../probes/offenders.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { pathResources } from '../probes/resources.ts'
import { followed, stat, visible, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import {
  afterwards,
  attributeChanges,
  attributeScript,
  describe,
  newStat,
  ownershipScript,
} from './_attributes.ts'
import { folderScript, missingFolders } from './_folders.ts'
import { linkDiff, linkScript, linkedStat, sourceOf, type LinkWish } from './_links.ts'
import { complain, flag, ownership, place, placed, text } from './_params.ts'
import { folderOf, foldersAbove, realPath, requireFolder } from './_paths.ts'
import { removalScript, requireRemovable } from './_removal.ts'
import { defineModule } from './module.ts'

const TIMES = z.enum(['now', 'preserve']).optional()

const params = z
  .strictObject({
    ...place,
    state: z
      .enum(['file', 'directory', 'link', 'hard', 'touch', 'absent'])
      .optional()
      .describe('What should be there. Not given: what is there stays, its owner and permissions are set.'),
    src: text().optional().describe('Where the link leads: for `link` as it is written into it.'),
    ...ownership,
    recurse: flag().default(false).describe('Set owner and permissions of all that is below a folder.'),
    force: flag()
      .default(false)
      .describe('Make a link without a target, or in place of a file or empty folder.'),
    follow: flag().default(true).describe('Set owner and permissions of what a symbolic link leads to.'),
    access_time: TIMES.describe('For `touch`: `now` (as if not given) or `preserve`.'),
    modification_time: TIMES.describe('For `touch`: `now` (as if not given) or `preserve`.'),
  })
  .transform(({ path, dest, name, ...given }, context) => {
    const { state, mode, recurse, src } = given
    if (recurse && state !== 'directory') complain(context, 'recurse', '`state: directory` expected with it')
    if (recurse && mode !== undefined && !isRecursable(mode)) {
      complain(context, 'mode', 'a mode that copies permissions cannot be compared for all of a folder')
    }
    if (state === 'hard' && src === undefined) complain(context, 'src', 'missing', 'MISSING_PARAM')
    return { ...given, path: placed({ path, dest, name }, context) }
  })

type Params = z.output<typeof params>
/** The paths it must know of, each by itself. */
type Questions = { readonly [path: `/${string}`]: Probe<Stat>; readonly below?: Probe<readonly string[]> }
type State = StateOf<Questions>

export const file = defineModule({
  name: 'file',
  summary: 'Makes or removes folders and links, and sets who owns a path and who may do what with it.',
  examples: [
    '- name: Make the data folder\n  file:\n    path: /srv/app/data\n    state: directory\n    owner: app\n    group: app\n    mode: "0750"\n',
    '- name: Point to the current version\n  file: { path: /opt/app/current, src: v2, state: link }\n',
    '- name: Remove the old settings\n  file: { path: /etc/app.conf.old, state: absent }\n',
  ],
  deviations: [
    'Folders that a system cannot lose (`/etc`, `/var/lib` …), and folders with something mounted below, are never removed.',
    '`recurse` does not leave the folder through symbolic links.',
    'Paths are absolute and hold no `..`, `~` or variables of the shell.',
    '`access_time` and `modification_time` take `now` and `preserve` only.',
  ],
  params,
  probe: (params): Questions => ({
    ...Object.fromEntries(pathsOf(params).map(path => [path, stat(path)])),
    ...(params.recurse && { below: offenders(params) }),
  }),
  diff: (params, state): readonly Change[] => DIFFS[params.state ?? 'keep'](params, state),
  apply: (found, params) => {
    const script = lines(...found.map(change => scriptFor(change, params)))
    const isLong = found.some(
      ({ kind, before, after }) => kind === 'below' || (before === 'directory' && after === 'absent'),
    )
    return [{ do: 'run', script, detached: isLong }]
  },
  expect: (params, state) => ({ ...state, ...foretell(params, state) }),
  touches: (found, params) => {
    const paths = new Set([
      params.path,
      ...found.map(({ what }) => what),
      ...(params.state === 'hard' ? pathsOf(params) : []),
    ])
    const extent = params.recurse || params.state === 'absent' ? 'tree' : 'path'
    return [...paths].flatMap(path => pathResources(path, extent))
  },
  verifiable: (_, found) => !found.some(({ kind }) => kind === 'times'),
  result: ({ path, src, follow }, state) => {
    const seen = follow ? (followed(at(state, path)) ?? visible(at(state, path))) : visible(at(state, path))
    return {
      path,
      dest: path,
      ...(src !== undefined && { src }),
      ...(seen ? describe(seen) : { state: 'absent' }),
    }
  },
})

function pathsOf({ path, state, src }: Params): readonly string[] {
  if (state === 'directory') return [...foldersAbove(path), path]
  if (state === 'touch') return [folderOf(path), path]
  if (state !== 'link' && state !== 'hard') return [path]
  return [folderOf(path), path, ...(src === undefined ? [] : [sourceOf({ path, src })])]
}

function at(state: State, path: string): Stat {
  return state[path as `/${string}`] ?? null
}

type Diff = (params: Params, state: State) => readonly Change[]

const DIFFS: Readonly<Record<NonNullable<Params['state']> | 'keep', Diff>> = {
  keep: existingDiff,
  file: existingDiff,
  directory: directoryDiff,
  link: linkedDiff,
  hard: linkedDiff,
  touch: touchDiff,
  absent: ({ path }, state) => {
    const seen = visible(at(state, path))
    if (!seen) return []
    requireRemovable(path)
    return [{ kind: 'state', what: path, before: seen.kind, after: 'absent' }]
  },
}

function existingDiff(params: Params, state: State): readonly Change[] {
  const { path, follow } = params
  const seen = visible(at(state, path))
  if (!seen) {
    throw new TaskError(
      'FILE_MISSING',
      `nothing is at \`${path}\``,
      'say with `state` what to make, or write it with `copy`',
    )
  }
  const subject = follow ? followed(seen) : seen
  if (!subject) throw new TaskError('LINK_DANGLING', `\`${path}\` is a symbolic link that leads nowhere`)
  if (params.state === 'file' && subject.kind !== 'file') {
    throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${subject.kind}, not a file`)
  }
  return attributeChanges(follow ? realPath(path, seen) : path, subject, params)
}

function directoryDiff(params: Params, state: State): readonly Change[] {
  const missing = missingFolders(pathsOf(params), path => at(state, path))
  if (missing.length > 0) return missing
  const { path, mode, owner, group } = params
  const after = [mode, owner, group].filter(wish => wish !== undefined)
  const below = state.below ?? []
  return [
    ...existingDiff(params, state),
    ...(below.length > 0 ? [{ kind: 'below', what: path, before: below, after }] : []),
  ]
}

function linkedDiff(params: Params, state: State): readonly Change[] {
  const wish = linkWish(params)
  if (!wish) return existingDiff(params, state)
  requireFolder(wish.path, at(state, folderOf(wish.path)))
  const found = linkDiff(wish, visible(at(state, wish.path)), at(state, sourceOf(wish)))
  if (!params.follow && wish.state === 'link') return found.length > 0 ? found : existingDiff(params, state)
  const target = followed(at(state, sourceOf(wish)))
  return [...found, ...(target ? attributeChanges(sourceOf(wish), target, params) : [])]
}

function linkWish({ path, state, src, force }: Params): LinkWish | undefined {
  return src === undefined || (state !== 'link' && state !== 'hard') ? undefined : { path, state, src, force }
}

function touchDiff(params: Params, state: State): readonly Change[] {
  const { path } = params
  requireFolder(path, at(state, folderOf(path)))
  const seen = visible(at(state, path))
  if (!seen) return [{ kind: 'state', what: path, before: 'absent', after: 'file' }]
  const times =
    touchFlags(params) === undefined ? [] : [{ kind: 'times', what: path, before: seen.mtime, after: 'now' }]
  return [...existingDiff(params, state), ...times]
}

/** Returns the flags of `touch`, or undefined where both times are kept. */
function touchFlags({ access_time: read, modification_time: written }: Params): string | undefined {
  if (read === 'preserve') return written === 'preserve' ? undefined : '-cm'
  return written === 'preserve' ? '-ca' : '-c'
}

function scriptFor(change: Change, params: Params): Sh {
  const { kind, what, before, after } = change
  const wish = linkWish(params)
  if (kind === 'times') return sh`touch ${touchFlags(params) ?? '-c'} -- ${what} || exit`
  if (kind === 'below') return repairScript(params)
  if (kind !== 'state' && kind !== 'target') return attributeScript(change)
  if (wish)
    return lines(
      linkScript(wish, before),
      !params.follow && ownershipScript(what, { ...params, mode: undefined }),
    )
  if (after === 'absent') return removalScript(what, before === 'directory')
  if (after === 'directory') return folderScript(what, params)
  return lines(sh`touch -- ${what} || exit`, ownershipScript(what, params))
}

function foretell(params: Params, state: State): Readonly<Record<string, Stat | readonly string[]>> {
  const { path, follow } = params
  const seen = visible(at(state, path))
  const wish = linkWish(params)
  if (params.state === 'absent') return { [path]: null }
  if (params.state === 'directory') {
    const made = missingFolders(pathsOf(params), folder => at(state, folder))
    const news = Object.fromEntries(made.map(({ what }) => [what, newStat('directory', params)]))
    return {
      ...(seen && { [path]: afterwards(seen, params, follow) }),
      ...news,
      ...(params.recurse && { below: [] }),
    }
  }
  if (!wish) return { [path]: seen ? afterwards(seen, params, follow) : newStat('file', params) }
  const source = followed(at(state, sourceOf(wish)))
  const target = source && (follow || wish.state === 'hard') ? afterwards(source, params, true) : source
  const link = linkedStat(wish, target)
  return { [sourceOf(wish)]: target, [path]: follow ? link : afterwards(link, params, false) }
}
