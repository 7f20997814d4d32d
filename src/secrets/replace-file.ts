import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'

/** Writes a file in one step: whoever reads it finds the old text or the new one. A file that is there keeps its mode. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const folder = dirname(file)
  mkdirSync(folder, { recursive: true })
  const draft = `${file}.${randomUUID()}~`
  const kept = statSync(file, { throwIfNoEntry: false })?.mode ?? mode
  const opened = openSync(draft, 'wx', kept & 0o777)
  try {
    writeSync(opened, text)
    fsyncSync(opened)
    closeSync(opened)
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  const entries = openSync(folder, 'r')
  fsyncSync(entries)
  closeSync(entries)
}
