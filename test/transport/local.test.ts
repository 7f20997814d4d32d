import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sh } from '../../src/shell/sh.ts'
import { connectLocal, spawnWire } from '../../src/transport/local.ts'

const soon = { deadlineMs: 5000 }

test('a local connection opens one shell for each user and adds up what they sent', async () => {
  const connection = connectLocal('here', {})
  const [first, second] = await Promise.all([connection.shell(undefined), connection.shell(undefined)])
  expect(first).toBe(second)
  const [answer] = await first.exchange([{ script: sh`id -u` }], soon)
  expect(answer?.out.trim()).toBe(String(process.getuid?.()))
  expect(connection.usage()).toMatchObject({ frames: 1 })
  expect(connection.usage().bytesReceived).toBeGreaterThan(50)
  await connection.close()
  expect(existsSync(first.scratch)).toBe(false)
})

test('a shell that has ended is opened anew', async () => {
  const connection = connectLocal('here', {})
  const first = await connection.shell(undefined)
  await expect(first.exchange([{ script: sh`kill -9 $$` }], soon)).rejects.toMatchObject({ stage: 'lost' })
  rmSync(first.scratch, { recursive: true })
  const second = await connection.shell(undefined)
  expect(await second.exchange([{ script: sh`echo a` }], soon)).toMatchObject([{ out: 'a\n' }])
  await connection.close()
})

test('a user name that could be taken for an option is refused', async () => {
  const connection = connectLocal('here', {})
  for (const user of ['-s', 'a b', '$(id)', '']) {
    await expect(connection.shell({ user, method: 'sudo' })).rejects.toMatchObject({ stage: 'become' })
  }
})

test('a wire ends with the status of its command, and when it is closed', async () => {
  const wire = await spawnWire('here', 'cat >/dev/null; exit 3', '/bin/sh')
  wire.stdin.end()
  expect(await wire.closed).toEqual({ code: 3, signal: null })
  const stuck = await spawnWire('here', 'exec sleep 30', '/bin/sh')
  stuck.close()
  stuck.close()
  expect(await stuck.closed).toEqual({ code: null, signal: 'SIGTERM' })
})

test('a wire ends although a child keeps its streams open', async () => {
  const wire = await spawnWire('here', 'sleep 5 & exit 0', '/bin/sh')
  const ended = await Promise.race([wire.closed, sleep(3000)])
  expect(ended).toEqual({ code: 0, signal: null })
})

test('a login shell that is not there is an end, not a crash', async () => {
  const connection = connectLocal('here', { loginShell: '/no/such/shell' })
  await expect(connection.shell(undefined)).rejects.toMatchObject({ name: 'ConnectError' })
})
