import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf } from '../live/support/msingi.ts'
import { closeBench, conclude, firstRound, openBench, reasonsOf, start, type Bench } from './support/bench.ts'
import { seeded } from './support/random.ts'
import type { Fault } from './support/proxy.ts'

/** How many cuts there shall be, and where they come from; see scripts/faults.ts. */
const CUTS = Number(process.env['MSINGI_CUTS'] ?? 12)
const SEED = Number(process.env['MSINGI_SEED'] ?? 1)
const MOST_IN_A_ROUND = 6
const HANDSHAKE_BYTES = 4000

let bench: Bench
/** Bytes of a whole run in which everything is to be done. */
let whole = 0

beforeAll(async () => {
  bench = await openBench()
  whole = (await firstRound(bench)).bytes
})
afterAll(() => closeBench(bench))

test(
  `${CUTS} random cuts, seed ${SEED}: each re-run converges, nothing is torn, lost, or reported and not done`,
  {
    timeout: 0,
  },
  async () => {
    const random = seeded(SEED)
    const tally = { rounds: 0, cuts: 0, finished: 0, gaveUp: 0 }
    while (tally.cuts < CUTS) {
      bench.round += 1
      const isEnduring = random() < 0.6
      bench.proxy.plan(faultsOf(random, isEnduring ? 1 + Math.floor(random() * MOST_IN_A_ROUND) : 1))
      const ran = await start(bench, isEnduring ? bench.enduring : bench.giving).ended
      const cuts = bench.proxy.happened()
      tally.rounds += 1
      tally.cuts += cuts
      tally[ran.exit === 0 ? 'finished' : 'gaveUp'] += 1
      console.log(
        `faults: round ${bench.round}: ${cuts} cuts, exit ${ran.exit}, ${eventsOf(ran, 'host_reconnected').length} times back; ${tally.cuts} of ${CUTS}`,
      )
      const why = reasonsOf(ran)
      if (why !== '') console.log(`faults: round ${bench.round}: ${why}`)
      expect([0, 3], why).toContain(ran.exit)
      // Only who was never there is not waited for.
      const isThrough = cuts === 0 || (isEnduring && eventsOf(ran, 'host_connected').length > 0)
      if (isThrough) expect(ran.exit, why).toBe(0)
      await conclude(bench, ran)
    }
    console.log(`faults: ${JSON.stringify(tally)}, seed ${SEED}`)
  },
)

function faultsOf(random: () => number, count: number): readonly Fault[] {
  return Array.from({ length: count }, () => {
    const dice = random()
    const kind = dice < 0.8 ? 'cut' : dice < 0.95 ? 'corrupt' : 'stall'
    const reach = random() < 0.15 ? HANDSHAKE_BYTES : whole
    return { kind, afterBytes: Math.floor(random() * reach) }
  })
}
