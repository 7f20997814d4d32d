import type { Reporter } from '../base/event.ts'
import { narrate } from './narrator.ts'
import { writeTo } from './sink.ts'
import type { Sink } from './sink.ts'
import type { StoryOptions } from './story.ts'

/** Lines that wait for company are written at the latest after this many milliseconds, also where no event comes any more. */
const FLUSH_MS = 2000

/** Writes a run as lines of text, for logs, pipes and continuous integration. */
export function plainReporter(sink: Sink, options: StoryOptions): Reporter {
  const narrator = narrate(options)
  const out = writeTo(sink)
  const timer = setInterval(() => {
    out.write(joined(narrator.flush()))
  }, FLUSH_MS)
  timer.unref()
  return {
    report(event) {
      out.write(joined(narrator.tell(event)))
    },
    async end() {
      clearInterval(timer)
      out.write(joined(narrator.flush()))
      await out.end()
    },
  }
}

function joined(lines: readonly string[]): string {
  return lines.map(line => `${line}\n`).join('')
}
