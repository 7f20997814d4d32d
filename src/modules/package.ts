import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { anyLists, anyPackage, anyUpdate, type ByManager } from '../probes/any-package.ts'
import type { StateOf } from '../probes/probe.ts'
import { apkActions, apkAfter, apkDiff, type ApkState, type ApkWish } from './_apk.ts'
import { aptAfter, aptDiff, type AptState } from './_apt-diff.ts'
import { aptParams, type AptParams } from './_apt-params.ts'
import { aptActions } from './_apt-script.ts'
import { BROUGHT } from './_brought.ts'
import { dnfActions, dnfAfter, dnfDiff, type DnfState, type DnfWish } from './_dnf.ts'
import { PACKAGE_STATES, packageState } from './_package-diff.ts'
import { complain, flag, words } from './_params.ts'
import { defineModule, type Action } from './module.ts'

const MANAGERS = ['auto', 'apt', 'dnf', 'dnf5', 'yum', 'apk'] as const

const params = z
  .strictObject({
    name: words().describe('Packages, by the names they have on the host.'),
    state: z.enum(PACKAGE_STATES).default('present').describe('Whether they should be there.'),
    use: z.enum(MANAGERS).default('auto').describe('Package manager; the host has to have it.'),
    update_cache: flag()
      .default(false)
      .describe('Bring the package lists up to date before something is installed.'),
  })
  .superRefine(({ name }, context) => {
    const wrong = name.find(one => !/^[a-z0-9][\w.+:-]+$/i.test(one))
    if (wrong !== undefined)
      complain(
        context,
        'name',
        `\`${wrong}\` found, the name of a package expected; versions are for \`apt\` and \`dnf\``,
      )
    if (name.length === 0) complain(context, 'name', 'no package found', 'MISSING_PARAM')
  })
type Params = z.output<typeof params>

type Questions = {
  readonly lists?: ReturnType<typeof anyLists>
  readonly [known: `package:${string}`]: ReturnType<typeof anyPackage>
  readonly [update: `update:${string}`]: ReturnType<typeof anyUpdate>
}
type State = StateOf<Questions>

export const packageModule = defineModule({
  name: 'package',
  summary: 'Installs, upgrades and removes packages with whichever package manager the host has.',
  examples: ['- name: Install git\n  package:\n    name: git\n    update_cache: true\n'],
  deviations: [
    'It knows apt, dnf and apk. The programs of the host say which it has, never a file that somebody could have written.',
    'Names are those of the host: `httpd` is not `apache2`.',
  ],
  params,
  probe: ({ name, state, update_cache: updates }): Questions => ({
    ...(updates && { lists: anyLists(null) }),
    ...Object.fromEntries(name.map(one => [`package:${one}`, anyPackage(one)])),
    ...Object.fromEntries(state === 'latest' ? name.map(one => [`update:${one}`, anyUpdate(one)]) : []),
  }),
  diff: (wish, state): readonly Change[] => backend(wish, state).changes,
  apply: (found, wish, state) => backend(wish, state).actions(found),
  expect: (wish, state) => ({ ...state, ...backend(wish, state).after }),
  brings: found => (found.some(({ kind }) => kind !== 'remove' && kind !== 'cache') ? BROUGHT : []),
  verifiable: (_, found) => found.length === 0 || found.some(({ kind }) => kind !== 'cache'),
  result: ({ name }, state) => ({ manager: state[`package:${name[0] ?? ''}`]?.manager ?? null }),
})

/** What the host's own package manager makes of the wish. */
interface Backend {
  readonly changes: readonly Change[]
  readonly actions: (found: readonly Change[]) => readonly Action[]
  readonly after: Partial<State>
}

/** @throws TaskError with code `NO_PACKAGE_MANAGER` where the host has not the one that is wished, or none. */
function backend(wish: Params, state: State): Backend {
  const manager = state[`package:${wish.name[0] ?? ''}`]?.manager
  const wanted = { auto: manager, apt: 'apt', apk: 'apk', dnf: 'dnf', dnf5: 'dnf', yum: 'dnf' }[wish.use]
  if (manager === undefined || manager !== wanted) {
    throw new TaskError(
      'NO_PACKAGE_MANAGER',
      manager === undefined
        ? 'the host has neither apt, dnf nor apk'
        : `the host has \`${manager}\`, not \`${wish.use}\``,
    )
  }
  return { apt: viaApt, dnf: viaDnf, apk: viaApk }[manager](wish, state)
}

function viaApt(wish: Params, state: State): Backend {
  const { name, update_cache } = wish
  const given: AptParams = aptParams.parse({ name, state: packageState(wish.state), update_cache })
  const known: AptState = {
    ...(state.lists && { lists: state.lists }),
    ...knownOf(wish, state, 'package', 'apt', 'dpkg'),
    ...knownOf(wish, state, 'update', 'apt', 'candidate'),
  }
  const { lists, ...after } = aptAfter(given, known)
  return {
    changes: aptDiff(given, known),
    actions: found => aptActions(found, [], given),
    after: { ...(lists && { lists }), ...answers('apt', after, { dpkg: 'package', candidate: 'update' }) },
  }
}

function viaDnf(wish: Params, state: State): Backend {
  const given: DnfWish = {
    names: wish.name,
    state: packageState(wish.state),
    updatesCache: wish.update_cache,
    options: [],
    allowErasing: false,
    autoremove: false,
  }
  const first = state[`update:${wish.name[0] ?? ''}`]
  const known: DnfState = {
    ...knownOf(wish, state, 'package', 'dnf', 'rpm'),
    ...(first?.manager === 'dnf' && { updates: first.known }),
  }
  const { updates, ...after } = dnfAfter(given, known)
  return {
    changes: dnfDiff(given, known),
    actions: found => dnfActions(found, given),
    after: {
      ...answers('dnf', after, { rpm: 'package' }),
      ...(updates &&
        Object.fromEntries(wish.name.map(name => [`update:${name}`, { manager: 'dnf', known: updates }]))),
    },
  }
}

function viaApk(wish: Params, state: State): Backend {
  const given: ApkWish = {
    names: wish.name,
    state: packageState(wish.state),
    updatesCache: wish.update_cache,
    upgrades: false,
    replaces: false,
    options: [],
  }
  const first = state[`update:${wish.name[0] ?? ''}`]
  const known: ApkState = {
    ...knownOf(wish, state, 'package', 'apk', 'apk'),
    ...(first?.manager === 'apk' && { updates: first.known }),
  }
  const { updates, ...after } = apkAfter(given, known)
  return {
    changes: apkDiff(given, known),
    actions: found => apkActions(found, given),
    after: {
      ...answers('apk', after, { apk: 'package' }),
      ...(updates &&
        Object.fromEntries(wish.name.map(name => [`update:${name}`, { manager: 'apk', known: updates }]))),
    },
  }
}

type Manager = 'apt' | 'dnf' | 'apk'

/** Returns the answers as the package manager's own module would have them: `package:git` is its `dpkg:git`. */
function knownOf(
  { name }: Params,
  state: State,
  asked: 'package' | 'update',
  manager: Manager,
  own: string,
): Record<string, never> {
  const found = name.flatMap(one => {
    const answer: ByManager<unknown, unknown, unknown> | undefined = state[`${asked}:${one}`]
    return answer?.manager === manager ? [[`${own}:${one}`, answer.known]] : []
  })
  return Object.fromEntries(found) as Record<string, never>
}

/** The way back. */
function answers(
  manager: Manager,
  after: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, 'package' | 'update'>>,
): Partial<State> {
  const found = Object.entries(after).flatMap(([key, known]) => {
    const [own = '', ...rest] = key.split(':')
    return names[own] === undefined ? [] : [[`${names[own]}:${rest.join(':')}`, { manager, known }]]
  })
  return Object.fromEntries(found) as Partial<State>
}
