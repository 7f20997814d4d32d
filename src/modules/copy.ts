import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change, Registered } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { checksum } from '../probes/checksum.ts'
import { followed, stat, visible } from '../probes/stat.ts'
import {
  contentTouches,
  pathState,
  sumOf,
  type ContentQuestions,
  type ContentState,
  type FileWish,
} from './_content.ts'
import {
  complain,
  flag,
  folderPath,
  isLocalFile,
  isLocalTree,
  local,
  maybeSecret,
  mode,
  ownership,
  validator,
} from './_params.ts'
import { describe } from './_attributes.ts'
import { baseOf, foldersAbove, inside } from './_paths.ts'
import {
  pieceActions,
  pieceAfter,
  pieceDiff,
  pieceQuestions,
  type FolderWish,
  type Pieces,
} from './_pieces.ts'
import { copyOnHost, remoteFile } from './_remote-copy.ts'
import { newUnits } from './_new-units.ts'
import type { LocalTree } from './_local.ts'
import { defineModule, type Content, type HostView } from './module.ts'

const params = z
  .strictObject({
    src: z
      .union([local(), z.string()])
      .optional()
      .describe(
        'File or folder of the project; with a closing slash, what is in the folder. With `remote_src`, a path on the host.',
      ),
    content: maybeSecret().optional().describe('Text to write, in place of `src`.'),
    dest: folderPath().describe(
      'Absolute path on the host; a folder (or a path with a closing slash) takes the file in.',
    ),
    ...ownership,
    mode: z
      .union([z.literal('preserve'), mode()])
      .optional()
      .describe('Permissions: octal digits, symbolic, or `preserve` for those of the source.'),
    directory_mode: mode().optional().describe('Permissions of folders that are made on the way.'),
    force: flag().default(true).describe('Replace a file that has other content.'),
    follow: flag()
      .default(false)
      .describe('Write to where a symbolic link at `dest` leads, rather than replacing the link.'),
    backup: flag().default(false).describe('Keep the file that is replaced.'),
    validate: validator(),
    remote_src: flag().default(false).describe('`src` is a file on the host.'),
    checksum: z
      .string()
      .regex(/^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i)
      .optional()
      .describe('Checksum that the source must have: MD5, SHA-1 or SHA-256.'),
  })
  .transform((given, context) => {
    const { src, content, remote_src: isRemote, dest } = given
    if ((src === undefined) === (content === undefined))
      complain(context, 'src', 'either `src` or `content` expected', 'MISSING_PARAM')
    if (content !== undefined && dest.endsWith('/'))
      complain(context, 'dest', 'a folder found; `content` needs the path of a file')
    if (typeof src === 'string' && !(isRemote && src.startsWith('/')))
      complain(context, 'src', `\`${src}\` found, an absolute path on the host expected`)
    if (typeof src !== 'string' && src !== undefined && isRemote)
      complain(context, 'src', 'a path on the host expected')
    if (isRemote && given.backup) complain(context, 'backup', 'no backup is kept with `remote_src`')
    if (content !== undefined && given.mode === 'preserve')
      complain(context, 'mode', '`preserve` needs `src`')
    return given
  })

type Params = z.output<typeof params>

export const copy = defineModule({
  name: 'copy',
  summary: 'Puts a file, a folder or a text of the project on the host.',
  examples: [
    '- name: Install the settings\n  copy:\n    src: app.conf\n    dest: /etc/app/app.conf\n    owner: root\n    group: app\n    mode: "0640"\n',
    '- name: Set a kernel parameter\n  copy:\n    content: |\n      vm.swappiness = 10\n    dest: /etc/sysctl.d/60-app.conf\n',
  ],
  deviations: [
    'Content is compared by SHA-256; `checksum` takes MD5, SHA-1 or SHA-256.',
    'Symbolic links inside a copied folder stay links (`local_follow: false`).',
    'With `remote_src` one file is copied, not a folder, and `backup` is refused.',
    'In a copied folder, `owner` and `group` hold for its folders too, those already there included.',
  ],
  inputs: { src: 'tree' },
  params,
  probe: (params, host): ContentQuestions => {
    const { src } = params
    return {
      ...(typeof src === 'string' && { [src]: stat(src), [`sum ${src}`]: checksum({ path: src }) }),
      ...(Object.assign(
        {},
        ...candidates(params).map(target => questionsAt(target, params, host)),
      ) as ContentQuestions),
    }
  },
  diff: (params, state): readonly Change[] => pieceDiff(pieces(params, state), state),
  apply: (found, params, state) => {
    const { src } = params
    const wanted = pieces(params, state)
    const [wish] = wanted.files
    const actions = pieceActions(found, wanted, state)
    if (typeof src !== 'string' || !wish) return actions
    return actions.map(action => (action.do === 'write' ? copyOnHost(src, wish, state) : action))
  },
  expect: (params, state) => ({ ...state, ...pieceAfter(pieces(params, state), state) }),
  touches: (found, params) => contentTouches(found, candidates(params)),
  foretells: (found, params, state) =>
    typeof params.src === 'string' ? [] : newUnits(found, pieces(params, state).files),
  result: register,
})

/** A folder that is there takes the file in, so there are two places where it may belong. */
function candidates({ src, dest }: Params): readonly string[] {
  const place = tidyEnd(dest)
  const base = src === undefined ? undefined : baseOf(tidyEnd(typeof src === 'string' ? src : src.path))
  if (base === undefined) return [place]
  if (isLocalTree(src)) return [src.path.endsWith('/') ? place : inside(place, base)]
  return dest.endsWith('/') ? [inside(place, base)] : [place, inside(place, base)]
}

/** Returns the place where the file or folder belongs. */
function targetOf(params: Params, state: ContentState): string {
  const [first = '/', second] = candidates(params)
  return second !== undefined && followed(pathState(state, first))?.kind === 'directory' ? second : first
}

function questionsAt(target: string, params: Params, host: HostView): ContentQuestions {
  const content = isLocalFile(params.src) ? params.src : (params.content ?? NOTHING)
  return pieceQuestions(piecesAt(target, params, content), host)
}

/** Stands for the content of a file of the host, which is not fetched. */
const NOTHING = new Uint8Array()

function pieces(params: Params, state: ContentState): Pieces {
  const { src, checksum: wanted } = params
  const content =
    typeof src === 'string' ? remoteFile(src, state) : isLocalFile(src) ? src : (params.content ?? NOTHING)
  if (wanted !== undefined) requireChecksum(content, wanted)
  return piecesAt(targetOf(params, state), params, content)
}

function piecesAt(target: string, params: Params, content: Content): Pieces {
  const { src, dest, owner, group, directory_mode } = params
  if (isLocalTree(src)) return treePieces(target, src, params)
  const whenNew = { mode: directory_mode, owner, group }
  const above = dest.endsWith('/') ? foldersAbove(target) : []
  return {
    folders: above.map(path => ({ path, whenNew, always: {} })),
    links: [],
    files: [fileWish(target, content, params)],
  }
}

function treePieces(root: string, { entries }: LocalTree, params: Params): Pieces {
  const { owner, group, directory_mode, mode } = params
  const folder = (path: string, bits: number): FolderWish => ({
    path,
    whenNew: { mode: directory_mode ?? (mode === 'preserve' ? octal(bits) : undefined), owner, group },
    always: { owner, group },
  })
  return {
    folders: [
      ...foldersAbove(root).map(path => ({ ...folder(path, 0o755), always: {} })),
      folder(root, 0o755),
      ...entries
        .filter(({ kind }) => kind === 'directory')
        .map(({ name, mode }) => folder(inside(root, name), mode)),
    ],
    links: entries.flatMap(({ name, target }) =>
      target === undefined ? [] : [{ path: inside(root, name), state: 'link', src: target, force: true }],
    ),
    files: entries.flatMap(({ name, file, mode }) =>
      file === undefined ? [] : [fileWish(inside(root, name), { ...file, mode }, params)],
    ),
  }
}

function fileWish(path: string, content: Content, params: Params): FileWish {
  const { mode, owner, group, force, follow, validate, backup } = params
  return { path, content, mode: modeFor(mode, content), owner, group, force, follow, validate, backup }
}

function modeFor(mode: string | undefined, content: Content): string | undefined {
  if (mode !== 'preserve') return mode
  return isLocalFile(content) && content.mode !== undefined ? octal(content.mode) : undefined
}

function octal(bits: number): string {
  return bits.toString(8).padStart(4, '0')
}

function tidyEnd(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

const SORTS: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 64: 'sha256' }

function requireChecksum(content: Content, wanted: string): void {
  const sort = SORTS[wanted.length] ?? 'sha256'
  const raw = isLocalFile(content)
    ? content.content()
    : content instanceof Secret
      ? content.reveal()
      : content
  const found = sort === 'sha256' ? sumOf(content) : createHash(sort).update(raw).digest('hex')
  if (found === wanted.toLowerCase()) return
  throw new TaskError('CHECKSUM_MISMATCH', `the source has the ${sort} \`${found}\`, expected \`${wanted}\``)
}

function register(params: Params, state: ContentState): Registered {
  const { src, content } = params
  const dest = targetOf(params, state)
  const seen = visible(pathState(state, dest))
  const sum = state[`sum ${dest}` as `sum /${string}`]
  return {
    dest,
    ...(src !== undefined && { src: typeof src === 'string' ? src : src.path }),
    ...(typeof sum === 'string' && !(content instanceof Secret) && { checksum: sum }),
    ...(seen && describe(seen)),
  }
}
