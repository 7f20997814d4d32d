import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../support/source-tree.ts'
import { hostileSshd, type HostileSshd, type Lie } from './support/hostile-sshd.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi, tasksThat, type Ran } from './support/msingi.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-hostile-'))
const servers: HostileSshd[] = []
let host: LiveHost

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
})
afterAll(async () => {
  for (const server of servers) server.close()
  await stopHosts([host])
  rmSync(folder, { recursive: true, force: true })
})

/** A lie about frames; greetings are passed on as they are. */
const inFrames =
  (lie: (said: string, marker: string) => string): Lie =>
  (said, marker) =>
    said.includes(`${marker} hello `) || !said.includes(marker) ? said : lie(said, marker)

const inGreetings =
  (lie: (said: string, marker: string) => string): Lie =>
  (said, marker) =>
    said.includes(`${marker} hello `) ? lie(said, marker) : said

describe('a host that forges frames', () => {
  test('is lost at once where it breaks the protocol, and keeps no other one from its work', async () => {
    const inventory = await inventoryWith({
      other_frame: inFrames((said, marker) => said.replace(/(?<=\n[0-9a-f]{32} )\d+(?=\.)/, '99') + marker),
      other_part: inFrames(said => said.replace(/(?<=\n[0-9a-f]{32} \d+)\.\d+/, '.7')),
      not_asked: inFrames(
        (said, marker) => `${said}\n${marker} 1.0 0 0\n\n${marker} 2.0 0 0\n\n${marker} 3.0 0 0\n`,
      ),
      no_number: inFrames(said => said.replace(/(?<=\n[0-9a-f]{32} \d+\.\d+) \d+/, ' $(id)')),
      absurd_number: inFrames(said =>
        said.replace(/(?<=\n[0-9a-f]{32} \d+\.\d+) \d+/, ` ${'9'.repeat(400)}`),
      ),
      endless_marker: inFrames((_, marker) => `\n${marker} ${'x'.repeat(20_000)}`),
      greets_twice: inFrames((_, marker) => `\n${marker} hello 0 1 - root\n`),
      greets_oddly: inGreetings(said => said.replace(/hello \d+/, 'hello nobody')),
    })
    const began = performance.now()
    const ran = await msingi('apply', playbookOf('- command: { cmd: id -un, reads: true }'), '-i', inventory)

    const lost = lossesIn(ran)
    expect(performance.now() - began).toBeLessThan(30_000)
    expect(ran.exit).toBe(3)
    expect(tasksThat(ran, 'ok')).toEqual(['good: command'])
    expect(lost).toEqual(Object.fromEntries(Object.keys(lost).map(name => [name, 'CONNECT_PROTOCOL'])))
    expect(Object.keys(lost)).toHaveLength(8)
    expect(eventsOf(ran, 'host_lost')).toEqual([])
  })

  test('is lost where it cuts its answers short, after the time for coming back', async () => {
    const cuts: HostileSshd[] = []
    const inventory = await inventoryWith(
      {
        short: inFrames(said => {
          setTimeout(() => cuts.forEach(server => server.close()), 100)
          return said.slice(0, said.length / 2)
        }),
        other_marker: inGreetings((said, marker) => said.replaceAll(marker, '0'.repeat(32))),
      },
      { reconnect: 2 },
    )
    cuts.push(...servers.slice(-2, -1))
    const ran = await msingi(
      'apply',
      playbookOf('- command: { cmd: id -un, reads: true }'),
      '-i',
      inventory,
      '-T',
      '3',
    )

    expect(ran.exit).toBe(3)
    expect(lossesIn(ran)).toEqual({ short: 'CONNECT_LOST', other_marker: 'CONNECT_BECOME' })
    expect(tasksThat(ran, 'ok')).toEqual(['good: command'])
  })

  test('about the names of files makes nothing outside of the folder they are fetched to', async () => {
    await host.run('mkdir -p /opt/names && echo mine > /opt/names/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')
    const lie: Lie = said => said.replaceAll(/a{32}/g, 'b/../../../../../../../../../../pwned')
    const inventory = await inventoryWith({ liar: lie })
    const file = playbookOf(`- find: { paths: /opt/names, hidden: true }
  register: found
- fetch: { src: '{{ item.path }}', dest: kept/ }
  loop: '{{ found.files }}'
- fetch: { src: '{{ item.path }}', dest: flat/, flat: true }
  loop: '{{ found.files }}'`)
    const top = join(file, '..')
    const ran = await msingi('apply', file, '-i', inventory, '-l', 'liar')

    expect(ran.exit).toBe(1)
    expect(readdirSync(top, { recursive: true }).filter(name => !String(name).endsWith('site.yml'))).toEqual(
      [],
    )
    expect(existsSync('/pwned')).toBe(false)
  })
})

const MEBIBYTE = 1024 * 1024
/** `MSINGI_FLOOD_MIB=4096` is the long form. */
const FLOOD_MIB = Number(process.env['MSINGI_FLOOD_MIB'] ?? 200)
/** For each gibibyte, two minutes more. */
const FLOOD_MS = 240_000 + (FLOOD_MIB / 1024) * 120_000
/** What the engine may take at most: three times what it keeps of an answer, besides itself. */
const MOST_MIB = 400

async function* flood(last: string): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(MEBIBYTE / 4, 'x')
  for (let sent = 0; sent < FLOOD_MIB * MEBIBYTE; sent += piece.length) yield piece
  yield Buffer.from(last, 'latin1')
}

describe('a host that sends more than anybody can keep', () => {
  test('before it greets takes no more memory than is set aside', { timeout: FLOOD_MS }, async () => {
    const inventory = await inventoryWith({
      flooder: (said, marker) => (said.includes(`${marker} hello`) ? flood(said) : said),
    })
    const playbook = playbookOf('- stat: { path: /etc/passwd }')
    const { exit, mib } = await measured(['apply', playbook, '-i', inventory, '-l', 'flooder'])
    console.log(`hostile: ${FLOOD_MIB} MiB were sent, the engine took ${mib} MiB and ended with ${exit}`)
    expect([0, 3]).toContain(exit)
    expect(mib).toBeLessThan(MOST_MIB)
  })

  test.each([
    ['in an answer takes no more memory than is set aside, and fails the task', ', reads: true', 1],
    ['in the output of a command keeps the beginning and the end of it', '', 0],
  ])('%s', { timeout: FLOOD_MS }, async (_, more, wanted) => {
    const cmd = `yes 'a line that says nothing' | head -c ${FLOOD_MIB * MEBIBYTE}`
    const playbook = playbookOf(`- shell: { cmd: "${cmd}"${more} }`)
    const { exit, mib } = await measured(['apply', playbook, '-i', inventoryOf([host])])
    console.log(`hostile: a command wrote ${FLOOD_MIB} MiB, the engine took ${mib} MiB`)
    expect(exit).toBe(wanted)
    expect(mib).toBeLessThan(MOST_MIB)
  })
})

/** A title for the window, a bell, a cleared screen in both sets of control characters, text from right to left, a byte that is no text. */
const EVIL = String.raw`\033]0;pwned\007\033[2J\302\2332J\342\200\256rtl`
// oxlint-disable-next-line no-control-regex
const ACTING = /\u001b\]0;|\u0007|\u001b\[2J|[\u0080-\u009f]|[\u202a-\u202e\u2066-\u2069]/

describe('a host whose text would act on a terminal', () => {
  let tasks = ''

  beforeAll(async () => {
    await host.run(`mkdir -p /opt/evil && cd /opt/evil
      touch "/opt/evil/$(printf '${EVIL}')name"; printf '${EVIL}formerly\n' > conf; printf '${EVIL}' > text
      sed -i "s/^PRETTY_NAME=.*/PRETTY_NAME='$(printf '${EVIL}')system'/" "$(readlink -f /etc/os-release)"
      printf '${EVIL}a banner\n' > /etc/issue.net; echo 'Banner /etc/issue.net' > /etc/ssh/sshd_config.d/90-banner.conf
      printf '${EVIL}of the day\n' > /etc/motd
      { echo "printf '${EVIL}noise' ; printf '${EVIL}noise' >&2"; cat /home/ops/.bashrc 2>/dev/null || true; } > /root/rc
      mv /root/rc /home/ops/.bashrc; systemctl reload ssh`)
    tasks = `- command: { cmd: cat /opt/evil/text, reads: true }
  register: text
- name: '{{ text.stdout }}'
  debug: { msg: '{{ text.stdout }} {{ facts.os.name }}' }
- debug: { var: facts.os }
- find: { paths: /opt/evil }
  register: found
- name: each
  debug: { msg: '{{ item.path }}' }
  loop: '{{ found.files }}'
- copy: { dest: /opt/evil/conf, content: "after {{ text.stdout }}\\n" }
- shell: cat /opt/evil/text; cat /opt/evil/text >&2; rm -f /opt/evil/conf; printf '${EVIL}formerly\\n' > /opt/evil/conf
- shell: cat /opt/evil/text; cat /opt/evil/text >&2; exit 1`
  })
  afterAll(() => host.run('rm -f /home/ops/.bashrc'))

  test.each(['plain', 'json', 'tty'])('%s shows it and does not pass it on', async form => {
    const said = await saidBy(
      ['apply', playbookOf(tasks), '-i', inventoryOf([host]), '-D', '-vvv', '-y'],
      form,
    )
    expect(said).toContain('formerly')
    expect(said).toContain('rtl')
    expect(said).not.toMatch(ACTING)
  })

  test('a command that is run on all hosts passes nothing on either', async () => {
    const said = await saidBy(['exec', '-i', inventoryOf([host]), 'all', 'cat /opt/evil/*'], 'plain')
    expect(said).toContain('formerly')
    expect(said).not.toMatch(ACTING)
  })
})

describe('a host whose text looks like a template or an expression', () => {
  test('has it taken for text', async () => {
    const text = `{{ hidden }} {{#if true}}{{ hidden }}{{/if}} \${hidden} true || hidden == ""`
    writeFileSync(join(folder, 'text'), text)
    await host.run(`mkdir -p /opt/text && cat > /opt/text/given <<'END'
${text}
END
      touch '/opt/text/{{ hidden }}'
      sed -i "s/^PRETTY_NAME=.*/PRETTY_NAME='{{ hidden }}'/" "$(readlink -f /etc/os-release)"`)
    writeFileSync(join(folder, 'page.hbs'), '{{ out.stdout }}\n{{ lazy }}\n{{ facts.os.name }}\n')
    const ran = await msingi(
      'apply',
      playbookOf(
        `- command: { cmd: cat /opt/text/given, reads: true }
  register: out
- set_fact: { copied: '{{ out.stdout }}' }
- copy: { dest: /opt/seen, content: "{{ out.stdout }}\\n{{ copied }}\\n{{ lazy }}\\n{{ facts.os.name }}\\n" }
- template: { src: ${folder}/page.hbs, dest: /opt/page }
- find: { paths: /opt/text, patterns: '{*' }
  register: found
- command: { argv: [printf, '%s', '{{ item.path }}'], reads: true }
  loop: '{{ found.files }}'
  register: names
- command: { argv: [printf, '%s', '{{ item }}'], reads: true }
  loop: '{{ out.stdout_lines }}'
- slurp: { src: /opt/text/given }
  register: whole
- debug: { msg: '{{ whole.content }}' }
- fail: { msg: evaluated }
  when: out.stdout.contains('treasure') || copied.contains('treasure') || lazy.contains('treasure')
- fail: { msg: 'evaluated {{ lazy }}' }
  when: lazy != out.stdout
- command: { argv: ['true'], reads: true }
  failed_when: out.stdout == 'true'`,
        `hidden: treasure-7f31, lazy: '{{ out.stdout }}'`,
      ),
      '-i',
      inventoryOf([host]),
    )

    expect(failures(ran)).toEqual([])
    expect(ran.exit).toBe(0)
    expect(await host.run('cat /opt/seen')).toBe(`${text}\n${text}\n${text}\n{{ hidden }}\n`)
    expect(await host.run('cat /opt/page')).toBe(`${text}\n${text}\n{{ hidden }}\n`)
    expect(JSON.stringify(ran.events)).toContain('/opt/text/{{ hidden }}')
    expect(JSON.stringify(ran.events)).not.toContain('treasure-7f31')
  })
})

/** Writes an inventory of the real host under the name `good`, and of one liar each. */
async function inventoryWith(
  lies: Readonly<Record<string, Lie>>,
  all: Readonly<Record<string, number>> = {},
): Promise<string> {
  const { user, key } = host
  const hosts: Record<string, unknown> = {
    good: { ssh: { host: host.address, port: host.port, user, key, host_key: host.hostKey } },
  }
  for (const [name, lie] of Object.entries(lies)) {
    const server = await hostileSshd(host, lie)
    servers.push(server)
    const { port, hostKey } = server
    hosts[name] = { ssh: { host: '127.0.0.1', port, user, key, host_key: hostKey, ...all } }
  }
  const file = join(mkdtempSync(join(folder, 'inventory-')), 'hosts.yml')
  writeFileSync(file, JSON.stringify({ all: { hosts } }))
  return file
}

function playbookOf(tasks: string, vars = ''): string {
  const file = join(mkdtempSync(join(folder, 'play-')), 'site.yml')
  const head = `- hosts: all\n  become: true\n  vars: { ${vars} }\n  tasks:\n`
  writeFileSync(file, `${head}${tasks.replaceAll(/^/gm, '    ')}\n`)
  return file
}

/** Returns the code of the failure of each host that was lost. */
function lossesIn(ran: Ran): Readonly<Record<string, string | undefined>> {
  const lost = eventsOf(ran, 'host_done').filter(event => event.failure !== undefined)
  return Object.fromEntries(lost.map(event => [event.host, event.failure?.code]))
}

/** Runs the command line and returns its exit status and the most memory it had at once. */
async function measured(args: readonly string[]): Promise<{ readonly exit: number; readonly mib: number }> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/msingi.js'), ...args, '--output', 'json'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let kib = 0
  const ticking = setInterval(() => (kib = Math.max(kib, peakOf(child.pid))), 50)
  const [code] = await once(child, 'close')
  clearInterval(ticking)
  return { exit: Number(code), mib: Math.round(kib / 1024) }
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Returns everything the command line writes, on a terminal where it is `tty`. */
async function saidBy(args: readonly string[], form: string): Promise<string> {
  const engine = [
    process.execPath,
    join(ROOT, 'bin/msingi.js'),
    ...args,
    ...(args[0] === 'exec' ? [] : ['--output', form]),
  ]
  const log = join(mkdtempSync(join(folder, 'said-')), 'log')
  const words = engine.map(word => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  const command = form === 'tty' ? ['script', '-qefc', words, log] : ['sh', '-c', `${words} >${log} 2>&1`]
  const [program = '', ...rest] = command
  await once(
    spawn(program, rest, {
      cwd: ROOT,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, TERM: 'xterm-256color' },
    }),
    'close',
  )
  return readFileSync(log, 'utf8')
}
