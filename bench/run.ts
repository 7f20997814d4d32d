import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeContainers, startContainers } from '../scripts/hosts/containers.ts'
import { ensureDocker, ROOT, STATE } from '../scripts/hosts/docker.ts'
import { writeInventory, writeKnownHosts, type ThrowawayHost } from '../scripts/hosts/host.ts'
import { writeBaseline, type Baseline } from './baseline/generate.ts'
import { measure, median, type Measured } from './measure.ts'

// Measures the fifty tasks of the baseline against the same tasks written by hand, on the same hosts, in turns.
//   npm run bench -- --hosts 1,10,40 --rounds 7 [--playbook FILE] [--strict]

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1,10,40' },
    rounds: { type: 'string', default: '7' },
    playbook: { type: 'string' },
    strict: { type: 'boolean', default: false },
  },
})

const LABEL = 'bench'
const FOLDER = join(STATE, 'bench')
const say = (text: string): void => console.error(text)

interface Field {
  readonly hosts: readonly ThrowawayHost[]
  readonly inventory: string
  readonly floor: string
}

interface Target {
  readonly what: string
  readonly found: number
  readonly limit: number
  readonly unit: string
}

const stopDaemon = await ensureDocker(say)
const targets: Target[] = []
try {
  const made = writeBaseline(join(FOLDER, 'baseline'))
  const baseline = { ...made, playbook: options.playbook ?? made.playbook }
  await benchStart()
  for (const count of options.hosts.split(',').map(Number)) await bench(count, baseline)
  report()
} finally {
  await removeContainers(LABEL)
  await stopDaemon()
}

async function benchStart(): Promise<void> {
  const runs = await inTurns(5, () => measure(msingi(['--version'])))
  target('`msingi --version`, CPU', medianOf(runs, 'cpuSeconds') * 1000, 150, 'ms')
}

async function bench(count: number, baseline: Baseline): Promise<void> {
  say(`\n${count} host${count === 1 ? '' : 's'}`)
  const field = await prepare(count, baseline)
  const apply = ['apply', baseline.playbook, '-i', field.inventory, '--output', 'json']
  const first = settled(await measure(msingi(apply)), 'first run')
  line('first run', first)
  await verify(field, baseline)
  const pairs = await inTurns(Number(options.rounds), async () => ({
    floor: settled(await measure(['bash', field.floor]), 'floor'),
    ours: settled(await measure(msingi(apply)), 'converged run'),
  }))
  const floors = pairs.map(pair => pair.floor)
  const ours = pairs.map(pair => pair.ours)
  line('floor, converged', ...floors)
  line('msingi, converged', ...ours)
  const plan = await inTurns(3, async () =>
    settled(await measure(msingi(['plan', ...apply.slice(1)])), 'plan'),
  )
  line('msingi, plan', ...plan)
  judge(count, floors, ours)
  await removeContainers(LABEL)
}

function judge(count: number, floors: readonly Measured[], ours: readonly Measured[]): void {
  const floor = medianOf(floors, 'seconds')
  const seconds = medianOf(ours, 'seconds')
  say(`  ratio ${(seconds / floor).toFixed(2)}`)
  if (count === 1) target('converged, 1 host', seconds, floor * 1.5 + 0.3, 's')
  if (count === 40) target('converged, 40 hosts', seconds, floor, 's')
  target(`resident, ${count} hosts`, medianOf(ours, 'residentMb'), 300, 'MB')
  const travelled = hostsDone(ours.at(-1)?.stdout ?? '')
  if (travelled.length !== count) throw new Error(`${travelled.length} hosts reported instead of ${count}`)
  target(`frames, ${count} hosts, worst`, Math.max(...travelled.map(host => host.frames)), 4, '')
  const bytes = travelled.map(host => host.bytes_sent + host.bytes_received)
  target(`on the wire, ${count} hosts, worst`, Math.max(...bytes) / 1000, 40, 'KB')
  const changed = travelled.reduce((sum, host) => sum + host.counts.changed, 0)
  target(`changed again, ${count} hosts`, changed, 0, '')
}

async function prepare(count: number, baseline: Baseline): Promise<Field> {
  const names = Array.from({ length: count }, (_, index) => `perf${String(index + 1).padStart(2, '0')}`)
  const hosts = await startContainers({ system: 'debian-12', names, label: LABEL, say })
  mkdirSync(FOLDER, { recursive: true })
  const inventory = join(FOLDER, 'inventory.yml')
  const knownHosts = join(FOLDER, 'known_hosts')
  writeInventory(inventory, hosts)
  writeKnownHosts(knownHosts, hosts)
  const floor = join(FOLDER, 'floor-everywhere.sh')
  writeFileSync(floor, everywhere(hosts, knownHosts, baseline.floor))
  return { hosts, inventory, floor }
}

/** Returns a script that pipes the file over one `ssh` to each host, all at once, and fails if any of them fails. */
function everywhere(hosts: readonly ThrowawayHost[], knownHosts: string, file: string): string {
  const options = `-F none -o BatchMode=yes -o UserKnownHostsFile=${knownHosts}`
  const calls = hosts.map(
    ({ key, user, address }) =>
      `ssh ${options} -i ${key} ${user}@${address} sudo sh -s < ${file} & jobs+=($!)`,
  )
  return [
    'jobs=() bad=0',
    ...calls,
    'for job in "${jobs[@]}"; do wait "$job" || bad=1; done',
    'exit $bad',
    '',
  ].join('\n')
}

async function verify(field: Field, baseline: Baseline): Promise<void> {
  const script = join(dirname(field.floor), 'verify-everywhere.sh')
  writeFileSync(script, everywhere(field.hosts, join(FOLDER, 'known_hosts'), baseline.verify))
  const { stdout } = await measure(['bash', script])
  const right = stdout.split('\n').filter(text => text === 'verify-ok').length
  if (right !== field.hosts.length)
    throw new Error(`end state wrong on ${field.hosts.length - right} hosts:\n${stdout}`)
  say(`  end state right on ${right} of ${field.hosts.length}`)
}

interface HostDone {
  readonly type: string
  readonly frames: number
  readonly bytes_sent: number
  readonly bytes_received: number
  readonly counts: { readonly changed: number }
}

function hostsDone(ndjson: string): readonly HostDone[] {
  return ndjson
    .split('\n')
    .filter(text => text !== '')
    .map(text => JSON.parse(text) as HostDone)
    .filter(event => event.type === 'host_done')
}

function msingi(args: readonly string[]): readonly string[] {
  return [process.execPath, join(ROOT, 'bin/msingi.js'), ...args]
}

function settled(measured: Measured, what: string): Measured {
  if (measured.code === 0) return measured
  throw new Error(`${what} failed with ${measured.code}:\n${measured.stdout}\n${measured.stderr}`)
}

async function inTurns<T>(rounds: number, once: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (let round = 0; round < rounds; round += 1) results.push(await once())
  return results
}

function medianOf(runs: readonly Measured[], field: 'seconds' | 'cpuSeconds' | 'residentMb'): number {
  return median(runs.map(run => run[field]))
}

function line(what: string, ...runs: readonly Measured[]): void {
  const [seconds, cpu, resident] = (['seconds', 'cpuSeconds', 'residentMb'] as const).map(it =>
    medianOf(runs, it),
  )
  say(
    `  ${what.padEnd(18)} ${seconds?.toFixed(2)} s  CPU ${cpu?.toFixed(2)} s  ${resident?.toFixed(0)} MB  (median of ${runs.length})`,
  )
}

function target(what: string, found: number, limit: number, unit: string): void {
  targets.push({ what, found, limit, unit })
}

function report(): void {
  say('')
  for (const { what, found, limit, unit } of targets) {
    const verdict = found <= limit ? 'holds ' : 'MISSED'
    console.log(`${verdict} ${what}: ${round(found)} ${unit} (at most ${round(limit)})`)
  }
  if (options.strict && targets.some(({ found, limit }) => found > limit)) process.exitCode = 1
}

function round(number: number): string {
  return number.toFixed(number < 10 ? 2 : 0)
}
