import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/live/**', 'test/faults/**', 'test/vm/**', 'test/site/**'],
          // Tests side by side all work on this very machine, so none of them may lock it.
          env: { MSINGI_LOCK: 'off' },
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: 'live',
          include: ['test/live/**/*.live.test.ts'],
          globalSetup: ['test/live/support/setup.ts'],
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          maxWorkers: 2,
          // A loaded machine is late now and then; what is wrong is wrong twice.
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.faults.test.ts'],
          globalSetup: ['test/live/support/setup.ts'],
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.vm.test.ts'],
          // An emulated machine has one busy processor for most of its time, whatever it has been given.
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          // From bare machine to served CHT takes an hour on an emulated processor: `npm run site`, not part of `npm test`.
          name: 'site',
          include: ['test/site/**/*.site.test.ts'],
          maxWorkers: 1,
          testTimeout: 5_400_000,
          hookTimeout: 3_600_000,
        },
      },
    ],
  },
})
