import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { inHost, removeContainers, startContainers } from './hosts/containers.ts'
import { ensureDocker, ROOT } from './hosts/docker.ts'
import { writeInventory, type ThrowawayHost } from './hosts/host.ts'

// The main job from beginning to end, on three hosts that are thrown away afterwards. Every claim it prints is checked;
// the first that does not hold ends it with status 1.
//   npm run demo [-- --keep]

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })

const LABEL = 'demo'
const FOLDER = join(ROOT, '.msingi', 'demo')
const ADDRESSES = join(FOLDER, 'hosts.yml')
const EVENTS = join(FOLDER, 'events.jsonl')
const PROJECT = ['playbooks/demo.yml', '-i', 'inventory/demo.yml', '-i', relative(ROOT, ADDRESSES)]
/** What the two breakages below belong to. */
const BROKEN = ['clinic2: Limit who may log in over SSH', 'clinic2: Run the notice board']

const began = performance.now()
const stopDaemon = await ensureDocker(say)
try {
  await removeContainers(LABEL)
  await demo()
} finally {
  if (!options.keep) {
    say('removing the hosts')
    await removeContainers(LABEL)
    await stopDaemon()
  }
}

async function demo(): Promise<void> {
  chapter('Three throw-away hosts: Debian 12 with systemd and sshd')
  const hosts = await startContainers({
    system: 'debian-12',
    names: ['clinic1', 'clinic2', 'hub1'],
    label: LABEL,
    say,
  })
  mkdirSync(FOLDER, { recursive: true })
  writeInventory(ADDRESSES, hosts)

  chapter('First run')
  await msingi('apply', 0)
  for (const host of hosts) await expectBoard(host, host.name.startsWith('clinic'))

  chapter('The same again: nothing changes')
  await msingi('apply', 0)
  claim('0 tasks changed', told('changed'), [])

  chapter('Two things are broken by hand on clinic2')
  await breakTwo(hosts.find(host => host.name === 'clinic2'))
  await msingi('drift', 2)
  claim('drift names exactly these two', told('would_change'), BROKEN)

  chapter('Repair')
  await msingi('apply', 0)
  claim('exactly these two were repaired', told('changed'), BROKEN)
  await msingi('drift', 0)
  claim('nothing differs any more', told('would_change'), [])

  say(`\nDone in ${Math.round((performance.now() - began) / 1000)} s.`)
  if (options.keep) printWhatToTry(hosts)
}

async function breakTwo(host: ThrowawayHost | undefined): Promise<void> {
  if (host === undefined) throw new Error('no host clinic2')
  const scripts = [
    "sed -i 's/^PermitRootLogin .*/PermitRootLogin yes/' /etc/ssh/sshd_config.d/20-limits.conf",
    'systemctl stop notice-board.service',
  ]
  for (const script of scripts) {
    say(`clinic2# ${script}`)
    await inHost(host, script)
  }
}

/** Runs the command line as a person would, and ends the demo where its exit status is another one. */
async function msingi(command: 'apply' | 'drift', expected: number): Promise<void> {
  const args = ['bin/msingi.js', command, ...PROJECT]
  say(`$ msingi ${[command, ...PROJECT].join(' ')}\n`)
  const screen = process.stdout.isTTY ? 'tty' : 'plain'
  const child = spawn(process.execPath, [...args, '--output', screen, '--output', `json=${EVENTS}`], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', status => resolve(status ?? 1))
  })
  claim(`exit status ${expected}`, code, expected)
}

interface TaskDone {
  readonly type: string
  readonly host: string
  readonly task: string
  readonly status: string
}

/** Returns `host: task` of all tasks that ended so in the last run, sorted; handlers are left out. */
function told(status: string): readonly string[] {
  return readFileSync(EVENTS, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as TaskDone)
    .filter(event => event.type === 'task_done' && event.status === status)
    .map(event => `${event.host}: ${event.task.replace(/^\S+ : /, '')}`)
    .sort()
}

/** A look from outside, past the engine: does the page come? */
async function expectBoard(host: ThrowawayHost, expected: boolean): Promise<void> {
  const page = await fetchPage(`http://${host.address}:8080/`)
  claim(
    `${host.name} serves ${expected ? 'its notices' : 'no notices'}`,
    page?.includes('<h1>') ?? false,
    expected,
  )
}

async function fetchPage(url: string): Promise<string | undefined> {
  for (let tries = 0; tries < 5; tries += 1) {
    try {
      return await (await fetch(url)).text()
    } catch {
      await sleep(200)
    }
  }
  return undefined
}

function claim(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) {
    say(`✔ ${what}`)
    return
  }
  throw new Error(`not so: ${what}; found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
}

function chapter(title: string): void {
  say(`\n── ${title} ${'─'.repeat(Math.max(0, 76 - title.length))}`)
}

function printWhatToTry(hosts: readonly ThrowawayHost[]): void {
  const project = PROJECT.slice(1).join(' ')
  const [host] = hosts
  if (host === undefined) return
  say(`
The hosts are left running. Try:

  npm run -s msingi -- plan ${PROJECT.join(' ')}
  npm run -s msingi -- drift ${PROJECT.join(' ')} -l boards
  npm run -s msingi -- exec all ${project} -b -- uptime
  npm run -s msingi -- facts ${host.name} ${project}
  ssh -i ${relative(ROOT, host.key)} ${host.user}@${host.address}

Remove them with: docker rm -f ${hosts.map(({ container }) => container.slice(0, 12)).join(' ')}`)
}

function say(text: string): void {
  console.log(text)
}
