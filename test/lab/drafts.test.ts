import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { clearDrafts, makeDraft, markedFor } from '../../src/lab/drafts.ts'

test('a draft is left alone while its process lives, and goes with all that works on it once that was killed', async () => {
  const images = mkdtempSync(join(tmpdir(), 'drafts-'))
  const own = makeDraft(images)
  const gone = spawnSync('true').pid
  const orphan = mkdtempSync(join(images, `.draft-${gone}-`))
  const [command = '', ...words] = markedFor(orphan, ['sh', '-c', 'echo up; sleep 60; true'])
  const working = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(working, 'exit')
  await once(working.stdout, 'data')

  expect(await clearDrafts(images)).toBe(1)
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(existsSync(orphan)).toBe(false)
  expect(readdirSync(images)).toEqual([basename(own)])
  rmSync(images, { recursive: true })
})
