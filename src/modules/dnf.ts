import { z } from 'zod'
import { RPM_SPEC } from '../probes/rpm.ts'
import { BROUGHT } from './_brought.ts'
import { dnfActions, dnfAfter, dnfDiff, dnfQuestions, type DnfWish } from './_dnf.ts'
import { PACKAGE_STATES, packageState } from './_package-diff.ts'
import { complain, flag, words } from './_params.ts'
import { defineModule } from './module.ts'

const repositories = () =>
  words()
    .pipe(z.array(z.string().regex(/^[\w.*+:-]+$/)))
    .default([])

const params = z
  .strictObject({
    name: words().describe('Packages; `name-version` asks for a version, `*` with `latest` for all.'),
    state: z.enum(PACKAGE_STATES).default('present').describe('Whether they should be there.'),
    update_cache: flag().default(false).describe('Bring the package lists up to date first.'),
    enablerepo: repositories().describe('Repositories to use although they are switched off.'),
    disablerepo: repositories().describe('Repositories not to use.'),
    exclude: repositories().describe('Packages to leave alone.'),
    disable_gpg_check: flag().default(false).describe('Take packages whose signature cannot be checked.'),
    allowerasing: flag().default(false).describe('Allow to remove packages that are in the way.'),
    autoremove: flag().default(false).describe('Remove what was only needed by what is removed.'),
    install_weak_deps: flag().default(true).describe('Install what is recommended as well.'),
    nobest: flag().default(false).describe('Take an older version where the newest cannot be had.'),
    releasever: z
      .string()
      .regex(/^[\w.]+$/)
      .optional()
      .describe('Release to take packages from.'),
    security: flag().default(false).describe('With `latest`, only what closes a hole.'),
    bugfix: flag().default(false).describe('With `latest`, only what repairs a mistake.'),
    lock_timeout: z.coerce
      .number()
      .int()
      .optional()
      .describe('Accepted for Ansible playbooks; dnf waits by itself.'),
  })
  .superRefine(({ name, state }, context) => {
    const wrong = name.find(spec => spec !== '*' && !RPM_SPEC.test(spec))
    if (wrong !== undefined)
      complain(
        context,
        'name',
        `\`${wrong}\` found, the name of a package expected; no pattern, group or address`,
      )
    if (name.length === 0) complain(context, 'name', 'no package found', 'MISSING_PARAM')
    if (name.includes('*') && (state !== 'latest' || name.length > 1))
      complain(context, 'name', '`*` found, which stands alone and needs `state: latest`')
  })

export const dnf = defineModule({
  name: 'dnf',
  aliases: ['dnf5', 'yum'],
  summary: 'Installs, upgrades and removes packages of Fedora, RHEL and their kin.',
  examples: [
    '- name: Install the web server\n  dnf:\n    name: [nginx, mod_ssl]\n',
    '- name: Bring everything up to date\n  dnf: { name: "*", state: latest, update_cache: true }\n',
  ],
  deviations: [
    'What is newer is told by the lists that the host has. Where there are none, or with `update_cache` none of the last hour, that is a difference, and what is newer in fresh ones is installed by the same task.',
    'Patterns, groups, files and addresses are not taken as names.',
    'What was only needed by a removed package stays, unless `autoremove: true`.',
  ],
  params,
  probe: given => dnfQuestions(wishOf(given)),
  diff: (given, state) => dnfDiff(wishOf(given), state),
  apply: (found, given) => dnfActions(found, wishOf(given)),
  expect: (given, state) => dnfAfter(wishOf(given), state),
  brings: found => (found.some(({ kind }) => kind !== 'remove') ? BROUGHT : []),
  verifiable: (_, found) => found.length === 0 || found.some(({ kind }) => kind !== 'cache'),
  result: ({ name }, state) => ({
    packages: Object.fromEntries(name.map(one => [one, state[`rpm:${one}`]?.versions.join(', ') ?? null])),
  }),
})

function wishOf(given: z.output<typeof params>): DnfWish {
  return {
    names: given.name,
    state: packageState(given.state),
    updatesCache: given.update_cache,
    allowErasing: given.allowerasing,
    autoremove: given.autoremove,
    options: [
      ...given.enablerepo.map(name => `--enablerepo=${name}`),
      ...given.disablerepo.map(name => `--disablerepo=${name}`),
      ...given.exclude.map(name => `--exclude=${name}`),
      ...(given.disable_gpg_check ? ['--nogpgcheck'] : []),
      ...(given.install_weak_deps ? [] : ['--setopt=install_weak_deps=False']),
      ...(given.nobest ? ['--nobest'] : []),
      ...(given.releasever === undefined ? [] : [`--releasever=${given.releasever}`]),
      ...(given.security ? ['--security'] : []),
      ...(given.bugfix ? ['--bugfix'] : []),
    ],
  }
}
