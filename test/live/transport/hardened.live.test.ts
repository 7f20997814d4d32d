import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sh } from '../../../src/shell/sh.ts'
import { daemon, dir, failure, me, open, openAll, plain, say, trusted } from './lab.ts'

describe('a hardened sshd', () => {
  const root = process.getuid?.() === 0
  test.runIf(root)('one-session-without-pty-forwarding-and-sftp-is-enough-for-two-shells', async () => {
    const sshd = await daemon([
      'MaxSessions 1',
      'PermitTTY no',
      'AllowTcpForwarding no',
      'AllowAgentForwarding no',
      'PermitTunnel no',
      'MaxAuthTries 2',
      'Subsystem sftp /bin/false',
    ])
    const connection = await open(trusted(sshd))
    expect(await say(connection)).toBe(me)
    expect(await say(connection, 'nobody')).toBe('nobody')
    expect(await say(connection)).toBe(me)
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(2)
    const shell = await connection.shell(undefined)
    const path = await shell.upload(Buffer.alloc(3_000_000, 'x'), { deadlineMs: 20_000 })
    const [size] = await shell.exchange([{ script: sh`wc -c <${path}` }], { deadlineMs: 5000 })
    expect(size?.out.trim()).toBe('3000000')
    const { bytesSent } = connection.usage()
    expect(bytesSent).toBeGreaterThan(3_000_000)
    expect(bytesSent).toBeLessThan(3_100_000)
  })

  test('no-session-at-all-is-a-clear-refusal', async () => {
    const connection = await open(trusted(await daemon(['MaxSessions 0'])))
    expect((await failure(connection.shell(undefined))).stage).toBe('channel')
  })

  test('banners-and-noisy-rc-files-do-no-harm', async () => {
    const noise = join(dir, 'noise.sh')
    writeFileSync(noise, 'echo "Welcome  $$"; echo oops >&2; printf "no newline"\n')
    const sshd = await daemon([`Banner ${noise}`, `SetEnv BASH_ENV=${noise} ENV=${noise}`])
    expect(await say(await open(trusted(sshd)))).toBe(me)
  })

  test('connections-that-are-dropped-early-are-tried-again', async () => {
    const sshd = await daemon(['MaxStartups 1:100:2'])
    const hosts = { a: trusted(sshd), b: trusted(sshd), c: trusted(sshd) }
    const connections = await openAll(hosts, Object.keys(hosts))
    expect(await Promise.all(connections.map(one => say(one)))).toEqual([me, me, me])
    expect(sshd.log()).toContain('MaxStartups')
  })

  test('a-host-that-changes-session-keys-all-the-time-loses-nothing', async () => {
    const shell = await (await open(trusted(await daemon(['RekeyLimit 256K'])))).shell(undefined)
    const path = await shell.upload(Buffer.alloc(4_000_000, 'x'), { deadlineMs: 20_000 })
    const [all] = await shell.exchange([{ script: sh`cat ${path}` }], { deadlineMs: 20_000 })
    expect(all?.out).toBe('x'.repeat(4_000_000))
  })

  test('a-compressed-connection-works', async () => {
    const config = join(dir, 'compressed_config')
    writeFileSync(config, 'Compression yes\n')
    const connection = await open(trusted(plain()), { userConfig: config })
    const shell = await connection.shell(undefined)
    const [answer] = await shell.exchange([{ script: sh`yes | head -c 200000` }], { deadlineMs: 5000 })
    expect(answer?.out).toHaveLength(200_000)
    expect(connection.usage().bytesReceived).toBeLessThan(50_000)
  })
})
