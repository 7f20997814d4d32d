import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeContainers, startContainers } from './hosts/containers.ts'
import { ensureDocker, STATE } from './hosts/docker.ts'
import { writeInventory, writeKnownHosts } from './hosts/host.ts'
import { SYSTEMS, type System } from './hosts/image.ts'

const USAGE = `usage: npm run hosts -- up [COUNT] [--system ${Object.keys(SYSTEMS).join('|')}]
       npm run hosts -- down`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { system: { type: 'string', default: 'debian-12' } },
})

const LABEL = 'by-hand'
const say = (text: string): void => console.error(text)

if (positionals[0] === 'up' && isSystem(values.system)) await up(values.system, Number(positionals[1] ?? 1))
else if (positionals[0] === 'down') await down()
else {
  say(USAGE)
  process.exitCode = 4
}

async function up(system: System, count: number): Promise<void> {
  // The daemon is left running: the hosts need it.
  await ensureDocker(say)
  const names = Array.from({ length: count }, (_, index) => `host${index + 1}`)
  const hosts = await startContainers({ system, names, label: LABEL, say })
  mkdirSync(STATE, { recursive: true })
  const inventory = join(STATE, 'inventory.yml')
  const knownHosts = join(STATE, 'known_hosts')
  writeInventory(inventory, hosts)
  writeKnownHosts(knownHosts, hosts)
  for (const host of hosts) {
    console.log(
      `ssh -i ${host.key} -o UserKnownHostsFile=${knownHosts} ${host.user}@${host.address}  # ${host.name}`,
    )
  }
  console.log(`inventory: ${inventory}`)
}

async function down(): Promise<void> {
  await ensureDocker(say)
  await removeContainers(LABEL)
}

function isSystem(text: string): text is System {
  return text in SYSTEMS
}
