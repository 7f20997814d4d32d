import { randomBytes } from 'node:crypto'
import { LabError } from './error.ts'
import type { Kind, LabHost, OpenLab } from './state.ts'
import type { Session } from '../transport/session.ts'

/** How a run of a playbook ended. */
export interface Applied {
  readonly exit: number
  /** `name: status` of every task and handler that ended, in order. */
  readonly tasks: readonly string[]
  readonly stderr: string
}

/** What a scenario works with. */
export interface Stage {
  readonly lab: OpenLab
  readonly host: LabHost
  /** What stays between labs. */
  readonly cache: string
  readonly options: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Opens root's shell over a new connection; the drill closes it when it ends. */
  readonly login: () => Promise<Session>
  /** Runs a playbook on the host as a person would; `onPrinted` is told the name of a task whose command has printed something. */
  readonly apply: (playbook: string, onPrinted?: (task: string) => void) => Promise<Applied>
  /** Writes evidence into the record. */
  readonly note: (what: string, value: Evidence) => void
}

export type Evidence = string | number | boolean | null | readonly string[]

export interface Judgement {
  readonly passed: boolean
  /** One sentence that says what was seen. */
  readonly reason: string
}

type Phase = 'prepare' | 'break' | 'observe' | 'judge' | 'restore'

/** A rehearsed mishap: each phase gets what the one before found. */
interface Script<Ready, Broken, Seen> {
  readonly name: string
  readonly summary: string
  readonly kinds: readonly Kind[]
  /** Option → its default and what it means. */
  readonly options: Readonly<Record<string, { readonly value: string; readonly meaning: string }>>
  readonly prepare: (stage: Stage) => Promise<Ready>
  readonly break: (stage: Stage, ready: Ready) => Promise<Broken>
  readonly observe: (stage: Stage, broken: Broken) => Promise<Seen>
  readonly judge: (seen: Seen) => Judgement
  /** Makes the host usable again, whatever happened. */
  readonly restore?: (stage: Stage) => Promise<void>
}

/** A scenario as the frame sees it. */
export interface Scenario extends Pick<
  Script<unknown, unknown, unknown>,
  'name' | 'summary' | 'kinds' | 'options'
> {
  readonly play: (stage: Stage, phase: RunPhase) => Promise<Judgement>
}

type RunPhase = <T>(name: Phase, work: () => T | Promise<T>) => Promise<T>

/** Makes a scenario of its phases; the types of what they hand on stay between them. */
export function defineScenario<Ready, Broken, Seen>(script: Script<Ready, Broken, Seen>): Scenario {
  const { name, summary, kinds, options, restore } = script
  return {
    name,
    summary,
    kinds,
    options,
    async play(stage, phase) {
      try {
        const ready = await phase('prepare', () => script.prepare(stage))
        const broken = await phase('break', () => script.break(stage, ready))
        const seen = await phase('observe', () => script.observe(stage, broken))
        return await phase('judge', () => script.judge(seen))
      } finally {
        if (restore) await phase('restore', () => restore(stage))
      }
    },
  }
}

/** What happened, for machines and for history. */
export interface DrillRecord {
  readonly format: 1
  readonly id: string
  readonly drill: string
  readonly lab: string
  readonly host: string
  readonly kind: Kind
  readonly os: string
  readonly options: Readonly<Record<string, string>>
  readonly started: string
  readonly ms: number
  readonly phases: readonly { readonly phase: Phase; readonly ms: number; readonly failure?: string }[]
  readonly evidence: readonly {
    readonly ms: number
    readonly phase: Phase
    readonly what: string
    readonly value: Evidence
  }[]
  /** `inconclusive` where the drill itself could not be carried out. */
  readonly verdict: 'passed' | 'failed' | 'inconclusive'
  readonly reason: string
}

export type DrillMeans = Omit<Stage, 'note' | 'options' | 'login'> & {
  readonly login: () => Promise<Session>
  readonly say: (text: string) => void
}

/**
 * Plays a scenario and returns its record; what goes wrong in it is part of the record, not an error.
 *
 * @throws LabError WRONG_KIND where it needs hosts of another kind, WRONG_STATE for an option it does not have.
 */
export async function playDrill(
  scenario: Scenario,
  given: Readonly<Record<string, string>>,
  means: DrillMeans,
): Promise<DrillRecord> {
  const { lab, host } = means
  refuse(scenario, given, lab)
  const began = performance.now()
  const started = new Date()
  const since = (): number => Math.round(performance.now() - began)
  const defaults = Object.entries(scenario.options).map(([name, { value }]) => [name, value])
  const options = { ...Object.fromEntries(defaults), ...given } as Readonly<Record<string, string>>
  const phases: { phase: Phase; ms: number; failure?: string }[] = []
  const evidence: { ms: number; phase: Phase; what: string; value: Evidence }[] = []
  let current: Phase = 'prepare'
  const note = (what: string, value: Evidence): void => {
    evidence.push({ ms: since(), phase: current, what, value })
    means.say(`  ${what}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
  }
  const phase: RunPhase = async (name, work) => {
    current = name
    means.say(name)
    const from = performance.now()
    const done = (failure?: string): void => {
      phases.push({ phase: name, ms: Math.round(performance.now() - from), ...(failure ? { failure } : {}) })
    }
    try {
      const result = await work()
      done()
      return result
    } catch (error) {
      done(message(error))
      throw error
    }
  }
  const outcome = await concluded(() => scenario.play({ ...means, options, note }, phase))
  return {
    format: 1,
    id: `${started.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}-${randomBytes(2).toString('hex')}`,
    drill: scenario.name,
    lab: lab.name,
    host: host.name,
    kind: lab.kind,
    os: lab.os,
    options,
    started: started.toISOString(),
    ms: since(),
    phases,
    evidence,
    ...outcome,
  }
}

async function concluded(play: () => Promise<Judgement>): Promise<Pick<DrillRecord, 'verdict' | 'reason'>> {
  try {
    const { passed, reason } = await play()
    return { verdict: passed ? 'passed' : 'failed', reason }
  } catch (error) {
    return { verdict: 'inconclusive', reason: message(error) }
  }
}

function refuse(scenario: Scenario, given: Readonly<Record<string, string>>, lab: OpenLab): void {
  if (!scenario.kinds.includes(lab.kind)) {
    const needed = scenario.kinds.join(' or ')
    throw new LabError(
      'WRONG_KIND',
      `\`${scenario.name}\` needs hosts of kind ${needed}, this lab has ${lab.kind}s`,
    )
  }
  const unknown = Object.keys(given).find(name => !Object.hasOwn(scenario.options, name))
  if (unknown === undefined) return
  const known = Object.keys(scenario.options).map(name => `\`${name}\``)
  const has = known.length > 0 ? `it has ${known.join(', ')}` : 'it has none'
  throw new LabError('WRONG_STATE', `\`${scenario.name}\` has no option \`${unknown}\`, ${has}`)
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
