import { parseArgs } from 'node:util'
import { $ } from 'zx'
import { buildChtDouble } from '../test/doubles/cht/images.ts'
import { ensureDocker } from './hosts/docker.ts'

// Builds the images of the CHT double, test equipment for roles and drills.
//   npm run cht-double [-- save FILE]

const { positionals } = parseArgs({ allowPositionals: true })
const say = (text: string): void => console.error(text)

await ensureDocker(say)
const names = await buildChtDouble(say)
if (positionals[0] === 'save' && positionals[1] !== undefined) {
  await $({ quiet: true })`docker save --output ${positionals[1]} ${names}`
}
for (const name of names) console.log(name)
