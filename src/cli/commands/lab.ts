import { Option } from 'commander'
import type { Command } from 'commander'
import { wholeNumber } from '../options.ts'
import type { ExitWith, LabFlags, LabUpFlags } from '../options.ts'

/** `msingi lab`: makes throw-away hosts, and treats them badly. */
export function addLab(program: Command, exitWith: ExitWith): void {
  const lab = program.command('lab').description('make throw-away hosts to rehearse on, and break them')
  addUp(lab, exitWith)
  addWhole(lab, exitWith)
  addPower(lab, exitWith)
  addSnapshots(lab, exitWith)
  addVisits(lab, exitWith)
}

function addUp(lab: Command, exitWith: ExitWith): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  lab
    .command('up')
    .description('make hosts and write lab/NAME/inventory.yml; without arguments, one virtual machine')
    .argument('[name]', 'name of the lab', 'default')
    .addOption(kindOption())
    .addOption(osOption())
    .option('--hosts <count>', 'how many', wholeNumber('--hosts'), 1)
    .addOption(
      new Option('--disk <name=size>', 'a further disk, such as data=8G')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--medium <folder>', 'a further disk, `medium`, that holds the files of this folder')
    .option('--memory <size>', 'of each machine', '1G')
    .option(
      '--cpus <count>',
      'of each machine (default: 2, or 1 where it is emulated)',
      wholeNumber('--cpus'),
    )
    .option('--tpm', 'give each machine a TPM 2.0')
    .option('--internet', 'let the machines reach what this machine reaches; else only each other')
    .addOption(
      new Option('--publish <port>', 'a port to be reached from here').argParser(collect).default([], 'none'),
    )
    .addOption(packageOption())
    .action(async (name: string, flags: LabUpFlags) => {
      const { up } = await import('../lab.ts')
      exitWith(await up(name, flags))
    })
  lab
    .command('image')
    .description('build the image that machines start from, as root, so that `up` does not need to be root')
    .addOption(osOption())
    .addOption(packageOption())
    .action(async (flags: Pick<LabUpFlags, 'os' | 'package'>) => {
      const { image } = await import('../lab.ts')
      exitWith(await image(flags))
    })
}

function addWhole(lab: Command, exitWith: ExitWith): void {
  lab
    .command('down')
    .description('remove a lab: its machines, disks and files')
    .argument('[name]', 'name of the lab; may be left out where there is only one')
    .option('--all', 'all labs here')
    .action(async (name: string | undefined, flags: { readonly all?: true }) => {
      const { down } = await import('../lab.ts')
      exitWith(await down(name, flags.all === true))
    })
  lab
    .command('list')
    .description('list the labs and their hosts, one host a line')
    .action(async () => {
      const { list } = await import('../lab.ts')
      exitWith(list())
    })
}

function addPower(lab: Command, exitWith: ExitWith): void {
  const orders = {
    'cut-power': 'stop a machine in mid-instruction; what it has not flushed to its disks is lost',
    unplug: 'pull the network cables of a machine',
    plug: 'plug them in again',
  } as const
  for (const [order, description] of Object.entries(orders)) {
    addHost(lab, order, description).action(async (host: string, flags: LabFlags) => {
      const { treat } = await import('../lab.ts')
      exitWith(await treat(order as keyof typeof orders, host, flags))
    })
  }
  addHost(lab, 'boot', 'switch a machine on and wait until it answers on SSH')
    .addOption(
      new Option(
        '--disk-cache <behaviour>',
        'of its disks: volatile loses at a power cut what was not flushed, lying also what was',
      )
        .choices(['volatile', 'lying', 'none'])
        .default(undefined, 'volatile where nbdkit is installed, else none'),
    )
    .action(
      async (host: string, flags: LabFlags & { readonly diskCache?: 'volatile' | 'lying' | 'none' }) => {
        const { bootHost } = await import('../lab.ts')
        exitWith(await bootHost(host, flags))
      },
    )
}

function addSnapshots(lab: Command, exitWith: ExitWith): void {
  for (const [order, description] of [
    ['snapshot', 'keep what is on a machine’s disks and in its TPM'],
    ['restore', 'put it back; the machine is off afterwards'],
  ] as const) {
    addHost(lab, order, description)
      .argument('[snapshot]', 'name of the snapshot', 'before')
      .action(async (host: string, name: string, flags: LabFlags) => {
        const { keep } = await import('../lab.ts')
        exitWith(await keep(order, host, name, flags))
      })
  }
}

function addVisits(lab: Command, exitWith: ExitWith): void {
  addHost(lab, 'ssh', 'log in to a host, or run a command there')
    .argument('[command...]', 'the command, after --')
    .action(async (host: string, words: readonly string[], flags: LabFlags) => {
      const { ssh } = await import('../lab.ts')
      exitWith(await ssh(host, words, flags))
    })
  addHost(lab, 'console', 'sit down at the serial console of a machine; Ctrl-] leaves')
    .option('--log', 'only print what it has said so far')
    .action(async (host: string, flags: LabFlags & { readonly log?: true }) => {
      const { visit } = await import('../lab.ts')
      exitWith(await visit(host, flags))
    })
}

function addHost(lab: Command, name: string, description: string): Command {
  return lab
    .command(name)
    .description(description)
    .argument('<host>', 'the host')
    .option('--lab <name>', 'its lab, where several have such a host')
}

function kindOption(): Option {
  return new Option('--kind <kind>', 'vm has a kernel of its own, container starts in seconds')
    .choices(['vm', 'container'])
    .default('vm')
}

function osOption(): Option {
  return new Option('--os <system>', 'what the hosts run')
    .choices(['debian-12', 'debian-13'])
    .default('debian-12')
}

function packageOption(): Option {
  return new Option(
    '--package <name>',
    'a package besides those every machine has; may be given several times',
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'none')
}
