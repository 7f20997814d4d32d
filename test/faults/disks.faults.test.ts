import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeBench, conclude, firstRound, openBench, reasonsOf, start, type Bench } from './support/bench.ts'
import { FOLDER } from './support/playbook.ts'
import { seeded } from './support/random.ts'

/** How many of each there shall be, and where they come from; see scripts/faults.ts. */
const CRASHES = Number(process.env['MSINGI_CRASHES'] ?? 2)
const SEED = Number(process.env['MSINGI_SEED'] ?? 1)

const PAGE_KIB = 4
/** What the playbook writes in a round while what was there before stays beside it. */
const NEEDED_KIB = 210
/** What the host has to keep in mind for it. */
const REMEMBERED_KIB = 16
const MEMORY = '/var/lib/msingi'

let bench: Bench
/** Milliseconds of a whole run in which everything is to be done. */
let wholeMs = 0

beforeAll(async () => {
  bench = await openBench()
  await bench.host.run(`mkdir -p ${FOLDER} ${MEMORY}
    mount -t tmpfs -o mode=755 faults ${FOLDER}; mount -t tmpfs -o mode=700 memory ${MEMORY}`)
  wholeMs = (await firstRound(bench)).ms
})
afterAll(() => closeBench(bench))

test(
  `${2 * CRASHES} full disks, seed ${SEED}: nothing is torn, and a re-run with room converges`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED)
    for (let index = 0; index < 2 * CRASHES; index += 1) {
      bench.round += 1
      const [place, needed] = index % 2 === 0 ? [FOLDER, NEEDED_KIB] : [MEMORY, REMEMBERED_KIB]
      const room = Math.floor((random() * needed) / PAGE_KIB) * PAGE_KIB
      await bench.host.run(
        `mount -o remount,size=$(($(df --output=used -k ${place} | tail -n 1) + ${room}))k ${place}`,
      )
      const ran = await start(bench, bench.enduring).ended
      console.log(
        `faults: round ${bench.round}: ${room} KiB left in ${place}, exit ${ran.exit} ${reasonsOf(ran)}`,
      )
      await bench.host.run(`mount -o remount,size=50% ${place}`)
      expect([0, 1], reasonsOf(ran)).toContain(ran.exit)
      await conclude(bench, ran, { most: 2 })
    }
  },
)

test(
  `${CRASHES} disks that turn read only in the middle, seed ${SEED}: nothing is torn, and a re-run converges`,
  { timeout: 0 },
  async () => {
    const random = seeded(SEED + 1)
    for (let index = 0; index < CRASHES; index += 1) {
      bench.round += 1
      const place = index % 2 === 0 ? FOLDER : MEMORY
      const run = start(bench, bench.enduring)
      await run.when(event => event.type === 'host_connected')
      await sleep(random() * wholeMs * 0.7)
      // Refused as long as a file is open for writing.
      await bench.host.run(`until mount -o remount,ro ${place} 2>/dev/null; do sleep 0.01; done`)
      const ran = await run.ended
      console.log(
        `faults: round ${bench.round}: ${place} turned read only, exit ${ran.exit} ${reasonsOf(ran)}`,
      )
      await bench.host.run(`mount -o remount,rw ${place}`)
      expect([0, 1], reasonsOf(ran)).toContain(ran.exit)
      await conclude(bench, ran, { most: 2 })
    }
  },
)
