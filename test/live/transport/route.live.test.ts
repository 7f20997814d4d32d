import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sh } from '../../../src/shell/sh.ts'
import { makeConnect } from '../../../src/transport/connect.ts'
import { daemon, dir, failure, me, never, open, openAll, plain, say, setup, trusted, userKey } from './lab.ts'
import { reachOf } from './sshd.ts'

describe('jump hosts', () => {
  test('hosts-behind-one-jump-host-share-a-connection-to-it-that-ends-with-them', async () => {
    const bastion = await daemon()
    const hosts = {
      bastion: trusted(bastion),
      a: trusted(plain(), { jump: 'bastion' }),
      b: trusted(plain(), { jump: 'bastion' }),
    }
    const connections = await openAll(hosts, ['a', 'b'])
    expect(await Promise.all(connections.map(one => say(one)))).toEqual([me, me])
    expect(connections[0]?.usage().bytesSent).toBeGreaterThan(2000)
    expect(bastion.log().match(/Accepted publickey/g)).toHaveLength(1)
    await connections[0]?.close()
    expect(await say(connections[1])).toBe(me)
    await connections[1]?.close()
    await expect.poll(() => bastion.log()).toContain('disconnect')
  })

  test('a-chain-of-two-jump-hosts-works', async () => {
    const [first, second] = [await daemon(), await daemon()]
    const hosts = {
      first: trusted(first),
      second: trusted(second),
      web: trusted(plain(), { jump: 'first,second' }),
    }
    const [connection] = await openAll(hosts, ['web'])
    expect(await say(connection)).toBe(me)
    expect(first.log()).toContain('Accepted publickey')
    expect(second.log()).toContain('Accepted publickey')
  })

  test('a-jump-host-that-does-not-forward-is-named', async () => {
    const bastion = await daemon(['AllowTcpForwarding no'])
    const connect = makeConnect(
      setup({ bastion: trusted(bastion), web: trusted(plain(), { jump: 'bastion' }) }),
    )
    const error = await failure(connect('web', never))
    expect(error.host).toBe('web')
    expect(error.message).toContain('bastion')
    expect(error.hint).toContain('AllowTcpForwarding')
  })

  test('an-unknown-jump-host-is-refused-before-the-host-is-contacted', async () => {
    const bastion = await daemon()
    const hosts = {
      bastion: reachOf(bastion, { keys: [userKey] }),
      web: trusted(plain(), { jump: 'bastion' }),
    }
    const error = await failure(makeConnect(setup(hosts))('web', never))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain('bastion')
  })

  test('a-host-that-the-jump-host-cannot-reach-is-named', async () => {
    const bastion = await daemon()
    const hosts = { bastion: trusted(bastion), web: trusted({ port: 1 }, { jump: 'bastion' }) }
    const error = await failure(makeConnect(setup(hosts))('web', never))
    expect(error.stage).toBe('tcp')
    expect(error.message).toContain('127.0.0.1:1')
  })

  test('an-abort-does-not-wait-for-a-jump-host-that-is-silent', async () => {
    const silent = createServer()
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const abort = new AbortController()
    const hosts = { bastion: trusted({ port }), web: trusted(plain(), { jump: 'bastion' }) }
    const login = makeConnect(setup(hosts))('web', abort.signal)
    setTimeout(() => abort.abort(new Error('interrupted')), 50)
    const started = performance.now()
    await expect(login).rejects.toThrow('interrupted')
    expect(performance.now() - started).toBeLessThan(1000)
    silent.close()
  })

  test('a-proxy-command-carries-the-connection', async () => {
    const config = join(dir, 'proxy_config')
    const pipe = `const s=require('net').connect(+process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout)`
    writeFileSync(config, `Host *\n  ProxyCommand ${process.execPath} -e "${pipe}" %h %p\n`)
    expect(await say(await open(trusted(plain()), { userConfig: config }))).toBe(me)
  })
})

describe('what goes wrong on the way', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const one of servers.splice(0)) one.close()
  })
  async function server(onConnection: (socket: Socket) => void): Promise<{ port: number }> {
    const listening = createServer(socket => onConnection(socket.on('error', () => undefined)))
    servers.push(listening)
    await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
    return { port: (listening.address() as AddressInfo).port }
  }
  const quick = { flags: { connectTimeout: 0.3 } }

  test('a-refused-port-and-a-name-that-is-not-there', async () => {
    expect((await failure(open(trusted({ port: 1 })))).stage).toBe('tcp')
    expect((await failure(open(trusted(plain(), { host: 'nowhere.invalid' })))).stage).toBe('dns')
  })

  test('a-server-that-says-nothing-is-left-after-the-deadline', async () => {
    const error = await failure(open(trusted(await server(() => undefined)), quick))
    expect(error.stage).toBe('tcp')
  })

  test('a-server-that-is-no-sshd-is-quoted', async () => {
    const http = await server(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const error = await failure(open(trusted(http)))
    expect(error.stage).toBe('tcp')
    expect(error.message).toContain('HTTP/1.1 400')
  })

  test('a-server-that-always-hangs-up-is-given-up-after-three-retries', async () => {
    let connections = 0
    const rude = await server(socket => {
      connections++
      socket.destroy()
    })
    const error = await failure(open(trusted(rude)))
    expect(error.stage).toBe('tcp')
    expect(error.hint).toContain('MaxStartups')
    expect(connections).toBe(4)
  })

  test('a-cut-line-ends-the-exchange-as-lost', async () => {
    const lines: Socket[] = []
    const proxy = await server(socket => {
      const through = connectTcp(plain().port, '127.0.0.1')
      lines.push(socket, through)
      socket.pipe(through).on('error', () => undefined)
      through.pipe(socket)
    })
    const connection = await open(trusted(proxy))
    const shell = await connection.shell(undefined)
    const exchange = shell.exchange([{ script: sh`sleep 30` }], { deadlineMs: 20_000 })
    setTimeout(() => {
      for (const line of lines) line.destroy()
    }, 100)
    expect((await failure(exchange)).stage).toBe('lost')
    expect((await failure(connection.shell({ user: 'nobody', method: 'su' }))).stage).toBe('lost')
  })

  test('closing-does-not-wait-for-a-host-that-stands-still', async () => {
    let silent = false
    const proxy = await server(socket => {
      const through = connectTcp(plain().port, '127.0.0.1')
      socket.on('data', chunk => silent || through.write(chunk))
      through.on('data', chunk => silent || socket.write(chunk)).on('error', () => undefined)
      socket.on('close', () => through.destroy())
    })
    const connection = await open(trusted(proxy))
    const shell = await connection.shell(undefined)
    silent = true
    const exchange = failure(shell.exchange([{ script: sh`sleep 30` }], { deadlineMs: 20_000 }))
    const started = performance.now()
    await connection.close()
    expect(performance.now() - started).toBeLessThan(4000)
    expect((await exchange).stage).toBe('lost')
  })

  test('a-line-that-falls-silent-is-noticed-by-keepalive', async () => {
    const config = join(dir, 'alive_config')
    writeFileSync(config, 'ServerAliveInterval 0.2\nServerAliveCountMax 2\n')
    let silent = false
    const proxy = await server(socket => {
      const through = connectTcp(plain().port, '127.0.0.1')
      socket.on('data', chunk => silent || through.write(chunk))
      through.on('data', chunk => silent || socket.write(chunk)).on('error', () => undefined)
      socket.on('close', () => through.destroy())
    })
    const shell = await (await open(trusted(proxy), { userConfig: config })).shell(undefined)
    const exchange = shell.exchange([{ script: sh`sleep 30` }], { deadlineMs: 20_000 })
    silent = true
    expect((await failure(exchange)).stage).toBe('lost')
  })

  test('an-abort-ends-the-login-at-once', async () => {
    const silent = await server(() => undefined)
    const abort = new AbortController()
    const started = performance.now()
    const login = makeConnect(setup({ web: trusted(silent) }))('web', abort.signal)
    setTimeout(() => abort.abort(new Error('interrupted')), 50)
    await expect(login).rejects.toThrow('interrupted')
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('the-process-ends-by-itself-after-the-last-connection', () => {
    const url = new URL('../../../src/transport/connect.ts', import.meta.url).pathname
    const script = `
      import { makeConnect } from ${JSON.stringify(url)}
      const reach = ${JSON.stringify(trusted(plain()))}
      const setup = { hosts: () => reach, projectKnownHosts: [], userConfig: 'none', env: { HOME: '/nowhere' } }
      const connection = await makeConnect(setup)('web', new AbortController().signal)
      await connection.shell(undefined)
      await connection.close()
      console.log('closed')`
    const out = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
      timeout: 8000,
    })
    expect(out).toBe('closed\n')
  })
})
