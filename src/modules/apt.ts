import type { Resource } from '../probes/probe.ts'
import { aptAfter, aptDiff, aptQuestions, plansOf, versionsOf } from './_apt-diff.ts'
import { aptParams } from './_apt-params.ts'
import { aptActions } from './_apt-script.ts'
import { BROUGHT } from './_brought.ts'
import { defineModule } from './module.ts'

const LISTS: readonly Resource[] = ['/var/lib/apt', '/var/cache/apt'].map(name => ({ kind: 'tree', name }))

export const apt = defineModule({
  name: 'apt',
  summary: 'Installs, upgrades and removes packages of Debian and its kin.',
  examples: [
    '- name: Install the web server\n  apt:\n    name: [nginx, ssl-cert]\n    update_cache: true\n    cache_valid_time: 3600\n',
    '- name: Install this very version of Docker\n  apt:\n    name: docker-ce=5:27.3.1*\n    allow_downgrade: true\n',
    '- name: Bring everything up to date\n  apt: { upgrade: full, update_cache: true, autoremove: true }\n',
    '- name: Remove telnet\n  apt: { name: telnet, state: absent, purge: true }\n',
  ],
  deviations: [
    'The package lists are refreshed for something that is to be installed, or where nothing else is asked for; where all packages are right they are left alone.',
    '`update_cache` without `cache_valid_time` leaves lists alone that are less than an hour old, unless something is to be installed or the sources have changed since. Old lists are no drift.',
    'With `state: latest` or `upgrade`, lists that are refreshed may know newer versions; these are installed by the same task, and the report names the lists.',
    'A package that is half installed is a difference and is repaired; `dpkg --configure -a` is run before any other change.',
    'A package on hold and an older version are refused before apt is started, unless they are allowed.',
    'While another package manager is at work the task waits `lock_timeout` seconds, and says for whom.',
    'Patterns in names, `deb` and `build-dep` are not taken. A list that cannot be refreshed is a failure.',
  ],
  params: aptParams,
  probe: aptQuestions,
  diff: aptDiff,
  apply: (found, params) => aptActions(found, plansOf(params), params),
  expect: aptAfter,
  touches: found => (found.every(({ kind }) => kind === 'cache') ? LISTS : undefined),
  brings: found => (found.some(({ kind }) => ['install', 'upgrade', 'repair'].includes(kind)) ? BROUGHT : []),
  verifiable: (_, found) => found.length === 0 || found.some(({ kind }) => kind !== 'cache'),
  result: (params, state, found) => ({
    cache_updated: found.some(({ kind }) => kind === 'cache'),
    packages: versionsOf(params, state),
  }),
})
