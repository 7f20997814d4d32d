import { z } from 'zod'
import { APK_NAME } from '../probes/apk.ts'
import { apkActions, apkAfter, apkDiff, apkQuestions, type ApkWish } from './_apk.ts'
import { BROUGHT } from './_brought.ts'
import { PACKAGE_STATES, packageState } from './_package-diff.ts'
import { complain, flag, words } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    name: words().optional().describe('Packages.'),
    state: z.enum(PACKAGE_STATES).default('present').describe('Whether they should be there.'),
    update_cache: flag()
      .default(false)
      .describe('Bring the package lists up to date before something is installed.'),
    upgrade: flag().default(false).describe('Bring all packages up to date.'),
    available: flag().default(false).describe('With `upgrade`, replace what the lists do not know any more.'),
    no_cache: flag().default(false).describe('Keep no package lists on the host.'),
    repository: words().default([]).describe('Repositories to use instead of those of the host.'),
  })
  .superRefine(({ name = [], upgrade, state, update_cache: updates, no_cache: keepsNone }, context) => {
    const wrong = name.find(one => !APK_NAME.test(one))
    if (wrong !== undefined) complain(context, 'name', `\`${wrong}\` found, the name of a package expected`)
    if (name.length === 0 && !upgrade)
      complain(context, 'name', '`name` or `upgrade` expected', 'MISSING_PARAM')
    if (name.length > 0 && upgrade)
      complain(context, 'upgrade', '`name` and `upgrade` found, one of them expected')
    if (upgrade && state !== 'present') complain(context, 'state', 'it has no meaning with `upgrade`')
    if (updates && keepsNone) complain(context, 'no_cache', '`update_cache` found with it')
  })

export const apk = defineModule({
  name: 'apk',
  summary: 'Installs, upgrades and removes packages of Alpine.',
  examples: [
    '- name: Install the web server\n  apk:\n    name: [nginx, nginx-mod-http-brotli]\n    update_cache: true\n',
  ],
  deviations: [
    'What is newer is told by the lists that the host has; `update_cache` refreshes them only where something is to be done.',
    'Lists alone are no state: `update_cache` without anything else is refused.',
  ],
  params,
  probe: given => apkQuestions(wishOf(given)),
  diff: (given, state) => apkDiff(wishOf(given), state),
  apply: (found, given) => apkActions(found, wishOf(given)),
  expect: (given, state) => apkAfter(wishOf(given), state),
  brings: found => (found.some(({ kind }) => kind !== 'remove') ? BROUGHT : []),
  result: ({ name = [] }, state) => ({
    packages: Object.fromEntries(name.map(one => [one, state[`apk:${one}`]?.version ?? null])),
  }),
})

function wishOf(given: z.output<typeof params>): ApkWish {
  return {
    names: given.name ?? [],
    state: packageState(given.state),
    updatesCache: given.update_cache,
    upgrades: given.upgrade,
    replaces: given.available,
    options: [
      ...(given.no_cache ? ['--no-cache'] : []),
      ...given.repository.flatMap(address => ['--repository', address]),
    ],
  }
}
