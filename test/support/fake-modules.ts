import { z } from 'zod'
import { TaskError } from '../../src/base/error.ts'
import type { Change } from '../../src/base/result.ts'
import { changes, defineModule, type AnyModule } from '../../src/modules/module.ts'
import { probeOf, type Family } from '../../src/probes/probe.ts'
import { sh } from '../../src/shell/sh.ts'

const family: Family<string, string | null> = {
  name: 'key',
  key: arg => arg,
  script: args => sh`get ${args}`,
  parse: (answer, args) => {
    const values = answer.out.trimEnd().split('\n')
    return args.map((_, index) => (values[index] === '-' ? null : (values[index] ?? null)))
  },
  reads: arg => [{ kind: 'path', name: `/${arg.replaceAll('.', '/')}` }],
}
const key = probeOf(family)

const path = (name: string) => ({ kind: 'path', name: `/${name.replaceAll('.', '/')}` }) as const

/** Sets a key; says exactly what it touches, and foretells the outcome. */
const put = defineModule({
  name: 'put',
  summary: 'Sets a key.',
  examples: [],
  params: z.strictObject({ key: z.string(), value: z.coerce.string(), needs: z.string().optional() }),
  probe: ({ key: name, needs }) => ({
    now: key(name),
    ...(needs === undefined ? {} : { needed: key(needs) }),
  }),
  diff: ({ key: name, value, needs }, state) => {
    if (needs !== undefined && state.needed === null) throw new TaskError('NEEDS', `\`${needs}\` is missing`)
    return changes(state.now !== value && { kind: 'value', what: name, before: state.now, after: value })
  },
  apply: (_, { key: name, value }) => [{ do: 'run', script: sh`put ${name} ${value}`, detached: false }],
  expect: ({ value }) => ({ now: value }),
  touches: (_, { key: name }) => [path(name)],
  result: ({ key: name }) => ({ key: name }),
})

/** Sets a key, but says neither what it touches nor how it ends. */
const blunt = defineModule({
  name: 'blunt',
  summary: 'Sets a key without a word.',
  examples: [],
  params: z.strictObject({ key: z.string(), value: z.coerce.string() }),
  probe: ({ key: name }) => ({ now: key(name) }),
  diff: ({ key: name, value }, state) =>
    changes(state.now !== value && { kind: 'value', what: name, before: state.now, after: value }),
  apply: (_, { key: name, value }) => [{ do: 'run', script: sh`put ${name} ${value}`, detached: false }],
})

/** Does something and reads what it printed; `fails` makes a failure of it. */
const talk = defineModule({
  name: 'talk',
  summary: 'Makes sense of what was printed.',
  examples: [],
  params: z.strictObject({ fails: z.boolean().default(false) }),
  probe: () => ({}),
  diff: (): readonly Change[] => [{ kind: 'run', what: 'talk', before: null, after: 'run' }],
  apply: () => [{ do: 'run', script: sh`talk`, detached: false, capture: true }],
  touches: () => [],
  verifiable: () => false,
  said: ({ fails }, { out }) => {
    if (fails) throw new TaskError('BAD_WORD', 'not that', undefined, undefined, { word: out.trim() })
    return { word: out.trim() }
  },
})

/** Reads a key for `register`. */
const look = defineModule({
  name: 'look',
  summary: 'Reads a key.',
  examples: [],
  params: z.strictObject({ key: z.string() }),
  probe: ({ key: name }) => ({ now: key(name) }),
  diff: (_, state): readonly Change[] => {
    if (state.now === 'broken') {
      const answer = { code: 3, out: 'half\n', err: 'it broke\n', encoding: 'utf8', ms: 1 } as const
      throw new TaskError('COMMAND_FAILED', 'the look failed', undefined, answer)
    }
    return []
  },
  apply: () => [],
  reads: true,
  result: (_, state) => ({ value: state.now }),
})

/** Brings things into being that nobody can foretell one by one, as a package does. */
const bring = defineModule({
  name: 'bring',
  summary: 'Brings everything below a key.',
  examples: [],
  params: z.strictObject({ key: z.string(), value: z.coerce.string() }),
  probe: ({ key: name }) => ({ now: key(name) }),
  diff: ({ key: name, value }, state) =>
    changes(state.now !== value && { kind: 'bring', what: name, before: state.now, after: value }),
  apply: (_, { key: name, value }) => [{ do: 'run', script: sh`put ${name} ${value}`, detached: false }],
  expect: ({ value }) => ({ now: value }),
  touches: (_, { key: name }) => [path(name)],
  brings: (_, { key: name }) => [{ kind: 'tree', name: path(name).name }],
})

/** A command: always changes, cannot be compared. */
const act = defineModule({
  name: 'act',
  summary: 'Does something.',
  examples: [],
  freeForm: 'cmd',
  params: z.strictObject({ cmd: z.string() }),
  probe: () => ({}),
  diff: ({ cmd }) => [{ kind: 'run', what: cmd, before: null, after: 'done' }],
  apply: (_, { cmd }) => [
    { do: 'run', script: cmd === 'fail' ? sh`fail` : sh`true ${cmd}`, detached: false, capture: true },
  ],
  checkable: () => false,
  verifiable: () => false,
})

const say = defineModule({
  name: 'say',
  summary: 'Says something.',
  examples: [],
  controller: true,
  params: z.strictObject({ msg: z.unknown() }),
  probe: () => ({}),
  diff: (): readonly Change[] => [],
  apply: () => [],
  result: ({ msg }) => ({ msg }),
})

const remember = defineModule({
  name: 'remember',
  summary: 'Sets variables.',
  examples: [],
  controller: true,
  params: z.record(z.string(), z.unknown()),
  probe: () => ({}),
  diff: (): readonly Change[] => [],
  apply: () => [],
  sets: params => params,
})

/** Restarts the host. */
const restart = defineModule({
  name: 'restart',
  summary: 'Restarts the host.',
  examples: [],
  params: z.strictObject({ seconds: z.number() }),
  probe: () => ({}),
  diff: () => [{ kind: 'reboot', what: 'host', before: null, after: 'started anew' }],
  apply: (_, { seconds }) => [
    { do: 'reboot', command: sh`true`, test: sh`true`, seconds, preDelay: 0, postDelay: 0 },
  ],
  verifiable: () => false,
})

/** Waits until the host answers. */
const reach = defineModule({
  name: 'reach',
  summary: 'Waits until the host answers.',
  examples: [],
  params: z.strictObject({ seconds: z.number() }),
  patience: ({ seconds }) => ({ for: 'host', seconds, sleep: 0.01 }),
  probe: () => ({}),
  diff: (): readonly Change[] => [],
  apply: () => [],
  reads: true,
})

const all: readonly AnyModule[] = [put, blunt, look, bring, act, talk, say, remember, restart, reach]

export const fakeModules: ReadonlyMap<string, AnyModule> = new Map(all.map(module => [module.name, module]))
