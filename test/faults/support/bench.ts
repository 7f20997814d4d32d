import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../../live/support/hosts.ts'
import { eventsOf, failures, type Ran } from '../../live/support/msingi.ts'
import { startMsingi, type Running } from '../../live/support/running.ts'
import { inspection, LOGGED, tracesOf, writeBig, writePlaybook } from './playbook.ts'
import { startProxy, type Proxy } from './proxy.ts'

/** A host behind a line that can be made to fail, and the playbook that is run over it. */
export interface Bench {
  readonly host: LiveHost
  readonly proxy: Proxy
  readonly folder: string
  /** Inventories: one of a run that comes back, one of a run that gives up at the first cut. */
  readonly enduring: string
  readonly giving: string
  round: number
}

export async function openBench(): Promise<Bench> {
  const [host] = (await startHosts()) as [LiveHost]
  return benchOf(host, await startProxy(host.address, host.port))
}

/** Returns the same host as another controller sees it, with a project of its own. */
export function elsewhere({ host, proxy, round }: Bench): Bench {
  return { ...benchOf(host, proxy), round }
}

function benchOf(host: LiveHost, proxy: Proxy): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-faults-'))
  mkdirSync(join(folder, 'home/.ssh'), { recursive: true })
  // A line that stands still is noticed after three seconds instead of 45.
  writeFileSync(
    join(folder, 'home/.ssh/config'),
    'Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 3\n',
  )
  writePlaybook(folder)
  const inventory = (name: string, reconnect: number): string => {
    const file = join(folder, `${name}.yml`)
    const { user, key, hostKey } = host
    const ssh = { host: '127.0.0.1', port: proxy.port, user, key, host_key: hostKey, reconnect }
    writeFileSync(file, JSON.stringify({ all: { hosts: { web1: { ssh } } } }))
    return file
  }
  return {
    host,
    proxy,
    folder,
    enduring: inventory('enduring', 120),
    giving: inventory('giving', 0),
    round: 0,
  }
}

export async function closeBench({ host, proxy, folder }: Bench): Promise<void> {
  proxy.close()
  await stopHosts([host])
  rmSync(folder, { recursive: true, force: true })
}

/** Starts the playbook for the present round. Whoever holds the host is waited for. */
export function start(bench: Bench, inventory: string): Running {
  const { folder, round } = bench
  writeBig(folder, round)
  const state = round % 2 === 1 ? 'present' : 'absent'
  return startMsingi(
    [
      'apply',
      join(folder, 'site.yml'),
      '-i',
      inventory,
      '-e',
      `round=${round}`,
      '-e',
      `state=${state}`,
      '--wait',
      '120',
    ],
    { HOME: join(folder, 'home') },
  )
}

/** Runs the playbook for the first time, when all is to be done, and returns how long that takes. */
export async function firstRound(bench: Bench): Promise<{ readonly ms: number; readonly bytes: number }> {
  bench.round = 1
  bench.proxy.plan([])
  const ran = await start(bench, bench.enduring).ended
  const bytes = bench.proxy.bytes()
  expectDone(ran, await look(bench), 1)
  return { ms: ran.ms, bytes }
}

/** What is on the host, looked at past the line. */
export interface Seen {
  readonly traces: ReadonlyMap<string, string>
  readonly logs: ReadonlyMap<string, number>
  readonly left: readonly string[]
  readonly stale: readonly string[]
  readonly owed: readonly string[]
  readonly package: string
}

export async function look({ host, round }: Bench): Promise<Seen> {
  const lines = (await host.run(inspection(round))).split('\n').map(line => line.trim())
  const after = (word: string): readonly string[] =>
    lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
  const named = lines.flatMap(line => {
    const [name = '', ...rest] = line.split(' ')
    return [[name, rest.join(' ') === '' ? 'absent' : rest.join(' ')] as const]
  })
  return {
    traces: new Map(named),
    logs: new Map(after('log').map(line => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])])),
    left: after('left'),
    stale: after('stale'),
    owed: after('owed'),
    package: after('package')[0] ?? '',
  }
}

/** Waits until no shell of ours works on the host any more. */
export async function untilIdle({ host }: Bench): Promise<void> {
  const busy = `pgrep -f '[u]nset IFS TMOUT' || systemctl list-units --no-legend 'msingi-*' | grep . || true`
  for (let tries = 0; (await host.run(busy)) !== ''; tries += 1) {
    if (tries > 240) throw new Error(`still at work: ${await host.run('ps ax')}`)
    await sleep(250)
  }
}

/**
 * What holds at any moment: everything is as before or as it shall be, and what was reported is there. Commands and handlers are done `most` times:
 * one that a start of the host broke off is done again.
 */
export function expectNothingTorn(ran: Ran, seen: Seen, round: number, most = 1): void {
  const before = new Map(tracesOf(round - 1).map(({ name, want }) => [name, want]))
  for (const { name, want } of tracesOf(round))
    expect([before.get(name), want], name).toContain(seen.traces.get(name))
  const reported = [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')].filter(
    ({ status }) => status === 'changed',
  )
  for (const { task } of reported) {
    const trace = tracesOf(round).find(one => one.task === task)
    if (trace) expect(seen.traces.get(task), `${task} was reported`).toBe(trace.want)
    if (LOGGED.includes(task)) expect(seen.logs.get(task), `${task} was reported`).toBeGreaterThanOrEqual(1)
  }
  for (const [name, count] of seen.logs) expect(count, name).toBeLessThanOrEqual(most)
}

/**
 * What holds when a sound run has followed: all is done, and nothing is left over. A handler that was owed from before runs where handlers are
 * flushed next, so `late` may run for the changes of each run; and once more where the host could not write down that it had run.
 */
export function expectDone(ran: Ran, seen: Seen, round: number, runs = 1, most = 1): void {
  expect(failures(ran)).toEqual([])
  expect(ran.exit, ran.stderr).toBe(0)
  expect(Object.fromEntries(tracesOf(round).map(({ name }) => [name, seen.traces.get(name)]))).toEqual(
    Object.fromEntries(tracesOf(round).map(({ name, want }) => [name, want])),
  )
  const times = seen.logs.get('late') ?? 0
  expect(times).toBeGreaterThanOrEqual(1)
  expect(times).toBeLessThanOrEqual(runs + most - 1)
  const atMost = (count: number): number => (count > 1 && count <= most ? 1 : count)
  expect(
    Object.fromEntries([...seen.logs].map(([name, count]) => [name, name === 'late' ? 1 : atMost(count)])),
  ).toEqual(Object.fromEntries(LOGGED.map(name => [name, 1])))
  expect(seen.stale).toEqual([])
  expect(seen.left).toEqual([])
  expect(seen.owed).toEqual([])
  // dpkg purges a package without settings of its own when it removes it; a host that stops in between keeps its name alone.
  const gone = most > 1 ? ['absent', 'purge ok config-files'] : ['absent']
  expect(round % 2 === 1 ? ['install ok installed'] : gone).toContain(seen.package)
}

/**
 * Runs the playbook soundly to the end of the round, and looks whether all holds that must. `most` is how often a command may have been done, `from` the
 * controller of the runs that follow.
 */
export async function conclude(
  bench: Bench,
  hurt: Ran,
  { most = 1, from = bench }: { readonly most?: number; readonly from?: Bench } = {},
): Promise<void> {
  const { proxy, round } = bench
  proxy.plan([])
  expectNothingTorn(hurt, await look(bench), round, most)
  await untilIdle(bench)
  const again = await start(from, from.enduring).ended
  expectDone(again, await look(bench), round, hurt.exit === 0 ? 1 : 2, most)
  if (hurt.exit === 0) return expectUnchanged(again)
  expectUnchanged(await start(from, from.enduring).ended)
}

/** Why a run was not through with the host, in words for the log. */
export function reasonsOf(ran: Ran): string {
  const lost = eventsOf(ran, 'host_done').flatMap(({ failure }) => (failure ? [failure] : []))
  const failed = [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')].flatMap(({ failure }) =>
    failure ? [failure] : [],
  )
  return [...lost, ...failed].map(({ code, message }) => `${code}: ${message}`).join('; ')
}

function expectUnchanged(ran: Ran): void {
  expect(eventsOf(ran, 'run_done')[0]?.counts).toMatchObject({ changed: 0, failed: 0, unreachable: 0 })
}
