import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { $ } from 'zx'
import { awaitSshd } from '../../scripts/hosts/host.ts'
import { eventsOf } from '../live/support/msingi.ts'
import {
  closeBench,
  conclude,
  elsewhere,
  firstRound,
  openBench,
  reasonsOf,
  start,
  type Bench,
} from './support/bench.ts'
import { seeded } from './support/random.ts'

/** How many of each there shall be, and where they come from; see scripts/faults.ts. */
const CRASHES = Number(process.env['MSINGI_CRASHES'] ?? 2)
const SEED = Number(process.env['MSINGI_SEED'] ?? 1)

let bench: Bench
let other: Bench
/** Milliseconds of a whole run in which everything is to be done. */
let wholeMs = 0

beforeAll(async () => {
  bench = await openBench()
  other = elsewhere(bench)
  wholeMs = (await firstRound(bench)).ms
})
afterAll(() => closeBench(bench))

test(
  `${2 * CRASHES} engines that are killed, seed ${SEED}: here and from elsewhere a re-run converges`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED)
    for (let index = 0; index < 2 * CRASHES; index += 1) {
      begin()
      const run = start(bench, bench.enduring)
      await sleep(random() * wholeMs)
      run.kill('SIGKILL')
      const ran = await run.ended
      tell(`killed after ${Math.round(ran.ms)} of ${Math.round(wholeMs)} ms`)
      expect([-1, 0], ran.stderr).toContain(ran.exit)
      await conclude(bench, ran, { from: index % 2 === 1 ? other : bench })
    }
  },
)

test(
  `${CRASHES} ends of sshd and all of its sessions, seed ${SEED}: the run comes back and goes on`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED + 1)
    for (let index = 0; index < CRASHES; index += 1) {
      begin()
      const run = start(bench, bench.enduring)
      await run.when(event => event.type === 'host_connected')
      await sleep(random() * wholeMs * 0.7)
      await bench.host.run(`systemctl restart ssh & pkill -KILL -f '^sshd: ops' || true; wait`)
      const ran = await run.ended
      tell(`sshd ended, exit ${ran.exit}, ${eventsOf(ran, 'host_reconnected').length} times back`)
      expect(ran.exit, reasonsOf(ran)).toBe(0)
      await conclude(bench, ran)
    }
  },
)

/*
 * What a container's restart lacks of a machine's: the kernel goes on, so what was written and not yet synced is not lost (the drills pull
 * the power of virtual machines). It has in common: every process is gone at once, `/run` is empty, and the host has begun another life.
 */
test(
  `${CRASHES} restarts of the host, seed ${SEED}: what they broke off is done by a re-run`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED + 2)
    for (let index = 0; index < CRASHES; index += 1) {
      begin()
      const run = start(bench, bench.enduring)
      await run.when(event => event.type === 'host_connected')
      await sleep(random() * wholeMs * 0.7)
      await restart()
      const ran = await run.ended
      tell(`restarted, exit ${ran.exit} ${reasonsOf(ran)}`)
      // A command that was broken off is told of and not repeated by the run itself; a re-run does it again.
      expect([0, 1], reasonsOf(ran)).toContain(ran.exit)
      await conclude(bench, ran, { most: 2 })
    }
  },
)

test(
  `${CRASHES} restarts of the host in the middle of dpkg, seed ${SEED}: a re-run puts the package right`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED + 3)
    for (let index = 0; index < CRASHES; index += 1) {
      begin()
      const run = start(bench, bench.enduring)
      // Held where it is, so that the restart surely comes before its end.
      const held = await bench.host.run(
        `pid=$(timeout 30 sh -c 'until pgrep -of "[d]pkg .*--status-fd"; do :; done') && sleep ${(random() * 0.04).toFixed(3)}
        kill -STOP "$pid" && echo held || echo too late`,
      )
      await restart()
      const audit = await bench.host.run('dpkg --audit | wc -l')
      const ran = await run.ended
      tell(`dpkg ${held.trim()}, ${audit.trim()} lines of dpkg --audit, exit ${ran.exit} ${reasonsOf(ran)}`)
      expect([0, 1], reasonsOf(ran)).toContain(ran.exit)
      await conclude(bench, ran, { most: 2 })
    }
  },
)

function begin(): void {
  bench.round += 1
  other.round = bench.round
  bench.proxy.plan([])
}

function tell(what: string): void {
  console.log(`faults: round ${bench.round}: ${what}`)
}

async function restart(): Promise<void> {
  const { container } = bench.host
  await $({ quiet: true })`docker restart --time 0 ${container}`
  const { stdout } =
    await $`docker inspect --format {{range.NetworkSettings.Networks}}{{.IPAddress}}{{end}} ${container}`
  bench.proxy.aim(stdout.trim())
  await awaitSshd(stdout.trim(), bench.host.port)
}
