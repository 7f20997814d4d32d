import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { packages, type InstalledPackage, type PackageSource } from '../probes/packages.ts'
import { complain, words } from './_params.ts'
import { defineModule } from './module.ts'

const ALL: readonly PackageSource[] = ['apt', 'rpm', 'apk']
const NAMES: Readonly<Record<string, readonly PackageSource[]>> = {
  auto: ALL,
  apt: ['apt'],
  rpm: ['rpm'],
  dnf: ['rpm'],
  dnf5: ['rpm'],
  yum: ['rpm'],
  zypper: ['rpm'],
  apk: ['apk'],
}

export const package_facts = defineModule({
  name: 'package_facts',
  summary: 'Tells which packages are installed, for `register`.',
  examples: ['- name: Look at the packages\n  package_facts:\n  register: found\n'],
  deviations: [
    'The packages are in what `register` holds (`found.packages`); no variable is set by itself.',
    '`manager` takes apt, rpm and apk; those of other systems and languages are refused.',
  ],
  params: z.strictObject({
    manager: words()
      .default(['auto'])
      .superRefine((given, context) => {
        const strange = given.find(name => !(name in NAMES))
        if (strange !== undefined)
          complain(context, '', `\`${strange}\` found, one of ${Object.keys(NAMES).join(', ')} expected`)
      })
      .describe('Package managers to ask: `auto`, `apt`, `rpm`, `apk`.'),
    strategy: z
      .enum(['first', 'all'])
      .default('first')
      .describe('Ask the first package manager that is there, or all of them.'),
  }),
  probe: ({ manager, strategy }) => ({
    packages: packages({
      managers: ALL.filter(source => manager.some(name => NAMES[name]?.includes(source))),
      onlyFirst: strategy === 'first',
    }),
  }),
  diff: ({ manager }, state): readonly Change[] => {
    if (state.packages !== null) return []
    throw new TaskError('NO_PACKAGE_MANAGER', `the host has no package manager of \`${manager.join(', ')}\``)
  },
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (_, state) => {
    const byName = Object.fromEntries(Map.groupBy(state.packages ?? [], ({ name }: InstalledPackage) => name))
    return { packages: byName, ansible_facts: { packages: byName } }
  },
})
