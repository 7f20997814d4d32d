import { createHash, randomUUID } from 'node:crypto'
import { appendFile, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Action } from '../modules/module.ts'
import { sh, type Sh } from '../shell/sh.ts'

/** Bytes asked for at a time: an answer is held in memory. */
const PIECE = 16 * 1024 * 1024

/**
 * Brings a file of the host to the controller, in pieces, and puts it in its place in one step.
 *
 * @throws TaskError with code `OUTSIDE`, `NOT_FETCHED` or `FILE_CHANGED`; nothing is left behind then.
 */
export async function keep(
  { path, bytes, sha256, to, root }: Action & { do: 'keep' },
  ask: (script: Sh) => Promise<Completed>,
  piece = PIECE,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await requireWithin(dirname(to), root)
  const draft = `${to}.${randomUUID()}`
  const hash = createHash('sha256')
  try {
    await writeFile(draft, '', { mode: 0o600, flag: 'wx' })
    for (let at = 0; at < bytes; at += piece) {
      const answer = await ask(sh`tail -c +${at + 1} -- ${path} | head -c ${piece}`)
      if (answer.code !== 0)
        throw new TaskError('NOT_FETCHED', `\`${path}\` could not be read: ${answer.err.trim()}`)
      const part = Buffer.from(answer.out, answer.encoding)
      hash.update(part)
      await appendFile(draft, part)
    }
    if (hash.digest('hex') !== sha256)
      throw new TaskError('FILE_CHANGED', `\`${path}\` changed while it was fetched`, 'run the task again')
    await rename(draft, to)
  } finally {
    await rm(draft, { force: true })
  }
}

/** A symbolic link on the way must not lead out of the folder. */
async function requireWithin(folder: string, root: string): Promise<void> {
  const [inner, outer] = await Promise.all([realpath(folder), realpath(root)])
  if (inner === outer || inner.startsWith(outer === sep ? sep : outer + sep)) return
  throw new TaskError('OUTSIDE', `\`${folder}\` lies outside of \`${root}\``)
}
