import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { killProcesses, labProcesses } from './processes.ts'

/** Makes a folder to build an image in. It is named after this process, so that others know whether it is still worked on. */
export function makeDraft(images: string): string {
  return mkdtempSync(join(images, `.draft-${process.pid}-`))
}

/** Returns the words that run a program which can be found, and ended, with the draft that it works on. */
export function markedFor(draft: string, words: readonly string[]): readonly string[] {
  return ['env', `MSINGI_LAB=${draft}`, 'MSINGI_LAB_HOST=image', 'MSINGI_LAB_ROLE=build', ...words]
}

/** Removes the drafts of processes that were killed, ends what goes on in them without its master, and returns how many there were. */
export async function clearDrafts(images: string): Promise<number> {
  const left = globSync(join(images, '.draft-*')).filter(draft => !isWorkedOn(draft))
  for (const draft of left) {
    await killProcesses(labProcesses(draft))
    rmSync(draft, { recursive: true, force: true })
  }
  return left.length
}

function isWorkedOn(draft: string): boolean {
  const [, pid] = /\.draft-(\d+)-[^/]*$/.exec(draft) ?? []
  if (pid === undefined) return false
  try {
    return process.kill(Number(pid), 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
