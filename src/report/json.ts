import type { Event, Reporter } from '../base/event.ts'
import { printableJson } from './printable.ts'
import { writeTo } from './sink.ts'
import type { Sink } from './sink.ts'

/** Writes a run as NDJSON: one event a line, as `schema/events.json` describes. */
export function jsonReporter(sink: Sink): Reporter {
  const out = writeTo(sink)
  return { report: event => out.write(jsonLine(event)), end: () => out.end() }
}

/** Returns the event as one line of JSON. Secrets and unknown values print themselves as text, controls of terminals as escapes. */
export function jsonLine(event: Event): string {
  return `${printableJson(JSON.stringify(event))}\n`
}
