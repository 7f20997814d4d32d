import type { Command } from 'commander'
import type { ExitWith } from '../options.ts'

/** `msingi bundle`: collects what hosts without a way out install from. */
export function addBundle(program: Command, exitWith: ExitWith): void {
  program
    .command('bundle')
    .description('collect packages, images and compose files into one archive, for hosts without a way out')
    .argument('<file>', 'what it is to hold')
    .option('--to <folder>', 'where the archive is put', 'bundles')
    .action(async (file: string, flags: { readonly to: string }) => {
      const { bundle } = await import('../bundle.ts')
      exitWith(await bundle(file, flags.to))
    })
}
