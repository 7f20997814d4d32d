import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { waitUntilUp } from '../../src/modules/_compose-wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-compose-wait-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Waits for a second, with a `docker` that knows these containers; returns the exit status and what was said. */
function wait(...states: readonly string[]): Promise<{ code: number; said: string }> {
  const docker = `#!/bin/sh
case $1 in compose) echo one; echo two;; inspect) ${states.map(state => (state === 'gone' ? 'exit 1' : `echo '/${state}'`)).join('; ')};; esac
`
  writeFileSync(join(folder, 'docker'), docker, { mode: 0o755 })
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
  return new Promise(resolve => {
    execFile('sh', ['-c', waitUntilUp([], [], 1).text], { env }, (error, _out, said) =>
      resolve({ code: Number(error?.code ?? 0), said }),
    )
  })
}

describe('modules/docker_compose, waiting', () => {
  test.each([
    ['what runs', 'web running 0 always'],
    ['what is healthy', 'web running 0 always healthy'],
    ['what has done its work', 'once exited 0 no'],
    ['what has done its work and would be tried again had it failed', 'once exited 0 on-failure'],
  ])('is over with %s', async (_, state) => {
    expect(await wait(state)).toEqual({ code: 0, said: '' })
  })

  test.each([
    ['what is not healthy', 'web running 0 always starting', 'web is not up: running, starting\n'],
    ['what failed', 'once exited 3 no', 'once is not up: exited\n'],
    ['what is to be started again', 'web exited 0 always', 'web is not up: exited\n'],
    ['what restarts', 'web restarting 1 always', 'web is not up: restarting\n'],
    ['what nobody can ask for any more', 'gone', 'a-container is not up: gone\n'],
  ])('names %s when the time is over', async (_, state, said) => {
    expect(await wait('db running 0 always', state)).toEqual({ code: 1, said })
  })
})
