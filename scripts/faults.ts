import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

// The long form of the tests in test/faults: `npm run faults [-- --cuts 500 --crashes 20 --seed 7] [FILE…]`. The same seed strikes at the same places.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cuts: { type: 'string', default: '500' },
    crashes: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const { status } = spawnSync('vitest', ['run', '--project', 'faults', ...positionals], {
  stdio: 'inherit',
  env: {
    ...process.env,
    MSINGI_CUTS: values.cuts,
    MSINGI_CRASHES: values.crashes,
    MSINGI_SEED: values.seed,
  },
})
process.exitCode = status ?? 1
