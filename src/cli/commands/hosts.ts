import { Option } from 'commander'
import type { Command } from 'commander'
import { addInventoryOptions, addReachOptions } from '../options.ts'
import type { ExitWith, InventoryFlags, TrustFlags } from '../options.ts'

/** `msingi hosts`: the inventory, and which machines are trusted to be its hosts. */
export function addHosts(program: Command, exitWith: ExitWith): void {
  const hosts = program.command('hosts').description('list hosts, show groups, trust host keys')
  addList(hosts, exitWith)
  addGraph(hosts, exitWith)
  addTrust(hosts, exitWith)
}

function addList(hosts: Command, exitWith: ExitWith): void {
  const command = hosts
    .command('list')
    .description('list the hosts that a pattern matches, one a line')
    .argument('[pattern]', 'hosts and groups, such as web:!web3', 'all')
    .option('--long', 'also the address, the user and the groups')
  addInventoryOptions(command).action(
    async (pattern: string, flags: InventoryFlags & { readonly long?: true }) => {
      const { hostList } = await import('../hosts-text.ts')
      process.stdout.write(hostList(pattern, flags))
      exitWith(0)
    },
  )
}

function addGraph(hosts: Command, exitWith: ExitWith): void {
  const command = hosts.command('graph').description('show groups and hosts as a tree')
  addInventoryOptions(command).action(async (flags: InventoryFlags) => {
    const { hostGraph } = await import('../hosts-text.ts')
    process.stdout.write(hostGraph(flags))
    exitWith(0)
  })
}

function addTrust(hosts: Command, exitWith: ExitWith): void {
  const command = hosts
    .command('trust')
    .description('show the keys of hosts and, when you agree, trust them from now on')
    .argument('[pattern]', 'hosts and groups', 'all')
    .option('-y, --yes', 'trust what they show without asking')
    .option('--replace', 'also where another key is known')
    .addOption(
      new Option('--known-hosts <file>', 'the file to write to').default(
        undefined,
        'known_hosts beside the inventory',
      ),
    )
  addInventoryOptions(command)
  addReachOptions(command).action(async (pattern: string, flags: TrustFlags) => {
    const { trust } = await import('../trust.ts')
    exitWith(await trust(pattern, flags))
  })
}
