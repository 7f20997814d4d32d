import type { Mode } from '../base/event.ts'
import type { PlannedPlay, Step } from '../plan/step.ts'
import { doneLine, type ChangeName, type Owed } from '../shell/journal.ts'
import type { Kept } from './kept.ts'

/** A handler that a change of this run notified, and the file that remembers it. */
interface Entry {
  readonly kept: Kept
  readonly owed: Owed
}

/** What stands for the host whose file it is. */
export const SELF = '-'

/**
 * The handlers one host owes. Its hosts remember them: each is written down there before the change that notifies it, and crossed out when it
 * has run, or when the change turns out not to have been made. So they outlive the run, whoever makes the next one.
 */
export class OwedHandlers {
  readonly #mode: Mode
  #entries: Entry[] = []
  /** Those of tasks of which it is not yet known whether they count; handlers may run within a task. */
  #open: (Entry & { readonly by: Step })[] = []

  constructor(mode: Mode) {
    this.#mode = mode
  }

  /** Takes over what an earlier run left. */
  found(kept: Kept, owed: Owed): void {
    this.#entries.push({ kept, owed })
  }

  /** Returns the handlers of the play that are owed from an earlier run. */
  of(play: PlannedPlay): readonly Step[] {
    const names = new Set(this.#entries.map(({ owed }) => owed.handler))
    return play.handlers.filter(handler => names.has(handlerName(play, handler)))
  }

  /** Says that a change is about to be sent which notifies these handlers. */
  sending(by: Step, kept: Kept, change: ChangeName, host: string, handlers: readonly string[]): void {
    for (const handler of handlers) {
      if (this.#open.some(({ owed }) => isOf(owed, change) && owed.handler === handler)) continue
      const owed = { ...change, host, handler, isMade: false }
      kept.runs.add(change.run)
      kept.owed.add(owed)
      kept.ours.add(owed)
      this.#open.push({ by, kept, owed })
    }
  }

  /** Says which handlers the task notified; whatever else was written down for it is crossed out. */
  notified(by: Step, handlers: readonly string[]): void {
    const mine = this.#open.filter(entry => entry.by === by)
    const counts = ({ owed }: Entry): boolean => handlers.includes(owed.handler)
    for (const entry of mine) if (!counts(entry)) crossOut(entry)
    this.#entries.push(...mine.filter(counts))
    this.undecided(by)
  }

  /** Says that nobody knows whether the task made its changes: what was written down stays. */
  undecided(by: Step): void {
    this.#open = this.#open.filter(entry => entry.by !== by)
  }

  /** Returns the lines that cross out a handler, for the very change that is made by it. */
  linesFor(handler: string, kept: Kept): readonly string[] {
    return [...this.#entries, ...this.#open]
      .filter(entry => entry.owed.handler === handler && entry.kept === kept)
      .map(({ owed }) => doneLine(owed, handler))
  }

  /** Says that a handler has run. */
  done(handler: string): void {
    if (this.#mode !== 'apply') return
    for (const entry of this.#entries) if (entry.owed.handler === handler) crossOut(entry)
    this.#entries = this.#entries.filter(({ owed }) => owed.handler !== handler)
  }
}

function crossOut({ kept, owed }: Entry): void {
  kept.notes.push(doneLine(owed, owed.handler))
  kept.owed.delete(owed)
  kept.ours.delete(owed)
}

function isOf(owed: Owed, { run, change }: ChangeName): boolean {
  return owed.run === run && owed.change === change
}

/** Returns the name under which hosts remember a handler: by the role or play that defines it, so that every play which has it can run it. */
export function handlerName(play: PlannedPlay, handler: Step): string {
  const name = nameOf(play, handler)
  const equal = play.handlers.filter(other => nameOf(play, other) === name)
  const index = equal.indexOf(handler)
  return index > 0 ? `${name} #${index + 1}` : name
}

function nameOf(play: PlannedPlay, { settings, title }: Step): string {
  return settings.role === undefined ? `play ${play.name}: ${title}` : `role ${settings.role}: ${title}`
}
