import { Unknown } from '../base/unknown.ts'
import { affects, type Probe, type Resource } from '../probes/probe.ts'
import { isTouched } from './answers.ts'

/** A change that was planned, not made: what it may alter. */
interface Planned {
  readonly title: string
  /** Undefined stands for "anything". */
  readonly touches: readonly Resource[] | undefined
  readonly brings: readonly Resource[]
}

/**
 * What the host would look like after the changes planned so far. Later tasks are planned against it; what it cannot
 * foretell is Unknown, never the old answer passed off as the new one.
 */
export class Overlay {
  readonly #foretold = new Map<string, unknown>()
  readonly #planned: Planned[] = []
  #uncertain: string | undefined

  /**
   * Returns the answer as it will be: foretold, unknown until some planned task is applied, or as observed. An observed
   * "not there" is doubted where a planned task may bring the thing: a task that would make it stays a change, but that
   * nothing needs to be done about it cannot be said.
   */
  look(probe: Probe<unknown>, observed: unknown): { readonly value: unknown; readonly doubt?: string } {
    if (this.#foretold.has(probe.key)) return { value: this.#foretold.get(probe.key) }
    const reads = probe.family.reads(probe.arg)
    const isAbsent = probe.family.absent?.(observed) ?? observed === null
    // What is done to a whole folder takes things away or brings some; it does not bring each thing one can think of.
    const surely = (touches: readonly Resource[]): readonly Resource[] =>
      touches.filter(resource => isNamed(resource) && !(isAbsent && resource.kind === 'tree'))
    const certain = this.#planned.find(({ touches = [] }) => meet(surely(touches), reads.filter(isNamed)))
    if (certain) return { value: new Unknown(certain.title) }
    const cause = this.#planned.find(
      ({ touches = [], brings }) =>
        meet(touches.filter(isNamed), reads) || (isAbsent && meet([...brings, ...touches], reads)),
    )
    return cause ? { value: observed, doubt: cause.title } : { value: observed }
  }

  /** Returns the title of the first planned task that may alter one of the answers in a way nobody can foretell. */
  shadow(probes: readonly Probe<unknown>[]): string | undefined {
    const open = probes.filter(probe => !this.#foretold.has(probe.key))
    return this.#planned.find(({ touches, brings }) =>
      open.some(probe => isTouched(probe, touches) || isTouched(probe, brings)),
    )?.title
  }

  /** Returns the title of the planned task that makes the thing: one that names it, else the first that may. */
  makerOf(wanted: Resource): string | undefined {
    const makers = this.#planned.filter(
      ({ touches, brings }) => touches === undefined || meet([...touches, ...brings], [wanted]),
    )
    const named = makers.find(({ touches = [] }) => meet(touches.filter(isNamed), [wanted]))
    return (named ?? makers[0])?.title
  }

  /** Returns whether some planned task may have altered anything at all. */
  get isClouded(): boolean {
    return this.#planned.some(({ touches }) => touches === undefined)
  }

  /** Adds a planned change; `foretold` gives answers as they will be, by question. */
  add(planned: Planned, foretold: ReadonlyMap<Probe<unknown>, unknown>): void {
    for (const [key] of this.#foretold) this.#forget(key, planned)
    this.#planned.push(planned)
    for (const [probe, value] of foretold) {
      this.#foretold.set(probe.key, value)
      this.#probes.set(probe.key, probe)
    }
  }

  /** Returns the title of the first task of which nobody can say whether it changes something: it may, or may not. */
  get uncertain(): string | undefined {
    return this.#uncertain
  }

  /** Adds a task that is unknown. What is seen stays as it was seen: were all of it doubted, drift would name nothing. */
  addUnknown(title: string): void {
    this.#uncertain ??= title
  }

  readonly #probes = new Map<string, Probe<unknown>>()

  /** An answer foretold by one task is foretold no longer once another may alter it. */
  #forget(key: string, planned: Planned): void {
    const probe = this.#probes.get(key)
    if (probe && isTouched(probe, (planned.touches ?? []).filter(isNamed))) this.#foretold.delete(key)
  }
}

/** A wildcard says what may be touched, not what is. */
function isNamed(resource: Resource): boolean {
  return resource.name !== '*'
}

function meet(touched: readonly Resource[], reads: readonly Resource[]): boolean {
  return reads.some(read => touched.some(resource => affects(resource, read)))
}
