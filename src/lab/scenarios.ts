import { lockout } from './drill-lockout.ts'
import { lostLink } from './drill-lost-link.ts'
import { powerCut } from './drill-power-cut.ts'
import { theft } from './drill-theft.ts'
import type { Scenario } from './drill.ts'

/** All drills, by name. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [powerCut, lockout, lostLink, theft].map(scenario => [scenario.name, scenario]),
)
