import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEMS, type System } from '../../scripts/hosts/image.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'

describe.each(Object.keys(SYSTEMS) as System[])('throw-away host of %s', os => {
  let host: LiveHost

  beforeAll(async () => {
    const [first] = await startHosts({ os, shell: 'busybox' })
    if (first === undefined) throw new Error('no host')
    host = first
  })
  afterAll(() => stopHosts([host]))

  test('boots systemd without a failed unit', async () => {
    expect((await host.run('systemctl is-system-running --wait')).trim()).toBe('running')
  })

  test('lets the operator in with its own host key, and become root', async () => {
    expect(await ssh(host, 'sudo -n id -u')).toBe('0\n')
  })

  test('has busybox as its shell where that was asked for', async () => {
    expect(await ssh(host, 'readlink -f /proc/$$/exe; true')).toMatch(/busybox\n$/)
    expect(await host.run('readlink -f /bin/sh')).toMatch(/busybox\n$/)
  })

  test('installs packages without a network', async () => {
    await host.run('apt-get install -y sample-greeting=1.0')

    expect(await host.run('cat /usr/share/sample-greeting/version')).toBe('1.0\n')
  })
})

async function ssh(host: LiveHost, command: string): Promise<string> {
  const options = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${host.knownHosts}`]
  const target = ['-i', host.key, '-p', String(host.port), `${host.user}@${host.address}`]
  return (await promisify(execFile)('ssh', [...options, ...target, command])).stdout
}
