import { createHash, randomUUID } from 'node:crypto'
import { appendFile, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
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
  if (!isWithin(dirname(resolve(to)), resolve(root)) || resolve(to) === resolve(root)) throw outside(to, root)
  await makeWithin(dirname(resolve(to)), resolve(root))
  const draft = `${to}.${randomUUID()}`
  const hash = createHash('sha256')
  try {
    await writeFile(draft, '', { mode: 0o600, flag: 'wx' })
    for (let at = 0; at < bytes; at += piece) {
      const size = Math.min(piece, bytes - at)
      const answer = await ask(sh`tail -c +${at + 1} -- ${path} | head -c ${size}`)
      if (answer.code !== 0)
        throw new TaskError('NOT_FETCHED', `\`${path}\` could not be read: ${answer.err.trim()}`)
      const part = Buffer.from(answer.out, answer.encoding)
      // A host may say what it likes of the size, and would be asked for the rest without end.
      if (part.length !== size) throw changed(path)
      hash.update(part)
      await appendFile(draft, part)
    }
    if (hash.digest('hex') !== sha256) throw changed(path)
    await rename(draft, to)
  } finally {
    await rm(draft, { force: true })
  }
}

function changed(path: string): TaskError {
  return new TaskError('FILE_CHANGED', `\`${path}\` changed while it was fetched`, 'run the task again')
}

/** Makes the folder. A symbolic link on the way may lead out of the root; it is found before anything is made beyond it. */
async function makeWithin(folder: string, root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  const outer = await realpath(root)
  let at = root
  for (const step of folder.slice(root.length).split(sep).filter(Boolean)) {
    at = join(at, step)
    await mkdir(at, { recursive: true })
    if (!isWithin(await realpath(at), outer)) throw outside(at, root)
  }
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === sep ? sep : outer + sep)
}

function outside(folder: string, root: string): TaskError {
  return new TaskError('OUTSIDE', `\`${folder}\` lies outside of \`${root}\``)
}
