import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { readable } from '../probes/checksum.ts'
import { followed, stat, visible } from '../probes/stat.ts'
import { bytesOf, text, type FileText } from '../probes/text.ts'
import { lines } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, newStat } from './_attributes.ts'
import { keptOwnership, pathState, type ContentQuestions, type ContentState } from './_content.ts'
import { folderOf, realPath, requireFolder } from './_paths.ts'
import type { Action, Content, Ownership } from './module.ts'

/** A text file that is edited in place. */
export interface EditWish extends Ownership {
  readonly path: string
  readonly create: boolean
  readonly backup: boolean
  readonly validate?: string | undefined
}

/** Returns the questions about a file that is to be edited. */
export function editQuestions({ path, create }: EditWish): ContentQuestions {
  return {
    [path]: stat(path),
    [`text ${path}`]: text(path),
    ...(create && { [folderOf(path)]: stat(folderOf(path)) }),
  } as ContentQuestions
}

/**
 * Returns the text of the file, or null where there is none yet.
 *
 * @throws TaskError with code `FILE_MISSING`, `NOT_A_FILE` or `PROBE_UNREADABLE`.
 */
export function textNow({ path }: Pick<EditWish, 'path'>, state: ContentState): FileText | null {
  const answer = visible(pathState(state, path))
  const seen = followed(answer)
  if (answer && !seen)
    throw new TaskError('LINK_DANGLING', `\`${path}\` is a symbolic link that leads nowhere`)
  if (seen && seen.kind !== 'file')
    throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${seen.kind}, not a file`)
  return readable(state[`text ${path}` as `text /${string}`] ?? null)
}

/** Returns what differs between the file as it is and as it should be after the edit. */
export function editDiff(
  wish: EditWish,
  state: ContentState,
  edited: string,
  isSecret: boolean,
): readonly Change[] {
  const { path, create } = wish
  const now = textNow(wish, state)
  const seen = visible(pathState(state, path))
  if (!now) {
    if (!create)
      throw new TaskError('FILE_MISSING', `\`${path}\` is not there`, 'set `create: true` to make it')
    requireFolder(path, pathState(state, folderOf(path)))
  }
  const subject = followed(seen)
  const attributes = subject ? attributeChanges(realPath(path, seen), subject, wish) : []
  if (now?.text === edited) return attributes
  const shown = isSecret
    ? { before: now && 'other lines', after: new Secret(edited) }
    : hunk(shownText(now?.text ?? '', now), shownText(edited, now))
  return [{ kind: 'lines', what: realPath(path, seen), ...shown }, ...attributes]
}

/** Returns what to do: one atomic write of the whole file, or owner and permissions alone. */
export function editActions(
  found: readonly Change[],
  wish: EditWish,
  state: ContentState,
  edited: string,
  isSecret: boolean,
): readonly Action[] {
  if (!found.some(({ kind }) => kind === 'lines')) {
    return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
  }
  const { path, backup, validate } = wish
  const seen = visible(pathState(state, path))
  return [
    {
      do: 'write',
      path: realPath(path, seen),
      content: contentOf(edited, textNow(wish, state), isSecret),
      backup,
      ...(validate !== undefined && { validate }),
      ...keptOwnership(wish, followed(seen)),
    },
  ]
}

/** Returns the answers as they will be. */
export function editAfter(wish: EditWish, state: ContentState, edited: string): ContentState {
  const seen = visible(pathState(state, wish.path))
  const { encoding = 'utf8' } = textNow(wish, state) ?? {}
  const after: ContentState = {
    ...state,
    [wish.path]: seen ? afterwards(seen, wish, true) : newStat('file', wish, edited.length),
    [`text ${wish.path}`]: { text: edited, encoding },
  }
  return after
}

/** Returns new text as it is spelt in the file: in one that is no UTF-8, each character stands for a byte. */
export function asIn(now: FileText | null, fresh: string): string {
  return now?.encoding === 'latin1' ? Buffer.from(fresh, 'utf8').toString('latin1') : fresh
}

/** Bytes that are no UTF-8 are written as they were read; the new lines are UTF-8 all the same. */
function contentOf(edited: string, now: FileText | null, isSecret: boolean): Content {
  if (isSecret) return new Secret(edited)
  return now?.encoding === 'latin1' ? bytesOf({ text: edited, encoding: 'latin1' }) : edited
}

/** Bytes that are no UTF-8 cannot be shown as they are. */
function shownText(text: string, now: FileText | null): string {
  return now?.encoding === 'latin1' ? Buffer.from(text, 'latin1').toString('utf8') : text
}

/** Returns the lines that go and the lines that come, without those that are the same before and after them. */
function hunk(before: string, after: string): { before: string | null; after: string | null } {
  const old = before.split('\n')
  const fresh = after.split('\n')
  let head = 0
  while (head < Math.min(old.length, fresh.length) && old[head] === fresh[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, fresh.length) - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++
  const part = (all: readonly string[]): string | null => {
    const own = all.slice(head, all.length - tail)
    return own.length === 0 ? null : own.join('\n')
  }
  return { before: part(old), after: part(fresh) }
}
