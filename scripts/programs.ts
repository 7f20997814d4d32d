import { ensurePrograms, FOR_TESTS } from './hosts/programs.ts'

// Before the tests: what they need besides the packages of npm.
await ensurePrograms(FOR_TESTS, text => console.error(text))
