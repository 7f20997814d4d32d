import type { Event, Reporter } from '../base/event.ts'
import { writeTo } from './sink.ts'
import type { Sink } from './sink.ts'

/** Writes a run as NDJSON: one event a line, as `schema/events.json` describes. */
export function jsonReporter(sink: Sink): Reporter {
  const out = writeTo(sink)
  return { report: event => out.write(jsonLine(event)), end: () => out.end() }
}

/** Returns the event as one line of JSON. Secrets and unknown values print themselves as text. */
export function jsonLine(event: Event): string {
  return `${JSON.stringify(event)}\n`
}
