import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Event, Reporter } from '../../src/base/event.ts'
import { htmlReporter } from '../../src/report/html.ts'
import { jsonReporter } from '../../src/report/json.ts'
import { junitReporter } from '../../src/report/junit.ts'
import { PLAIN_PALETTE } from '../../src/report/palette.ts'
import { plainReporter } from '../../src/report/plain.ts'
import { prometheusReporter } from '../../src/report/prometheus.ts'
import type { Sink } from '../../src/report/sink.ts'

const FORMS: ReadonlyMap<string, (sink: Sink) => Reporter> = new Map(
  Object.entries({
    'plain.txt': (sink: Sink) => plainReporter(sink, { palette: PLAIN_PALETTE, verbosity: 0, diff: false }),
    'verbose.txt': (sink: Sink) => plainReporter(sink, { palette: PLAIN_PALETTE, verbosity: 2, diff: true }),
    'events.jsonl': jsonReporter,
    'junit.xml': junitReporter,
    prom: prometheusReporter,
    html: htmlReporter,
  }),
)

const cases = readdirSync(import.meta.dirname)
  .filter(name => name.endsWith('.events.jsonl'))
  .map(name => name.replace('.events.jsonl', ''))

describe.each(cases)('report of %s', name => {
  const log = readFileSync(`${import.meta.dirname}/${name}.events.jsonl`, 'utf8')
  const events = log
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Event)

  test.each([...FORMS])('%s is as agreed', async (form, make) => {
    const text = await written(make, events)
    const golden = `${import.meta.dirname}/${name}.${form}`
    if (process.env['GOLDEN'] === '1' || !existsSync(golden)) writeFileSync(golden, text)
    expect(text).toBe(readFileSync(golden, 'utf8'))
  })

  test('no control character but tab and line break leaves in a text for people', async () => {
    for (const make of [...FORMS].filter(([form]) => form !== 'events.jsonl').map(([, form]) => form)) {
      const text = await written(make, events)
      expect(text.replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    }
  })
})

async function written(make: (sink: Sink) => Reporter, events: readonly Event[]): Promise<string> {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const reporter = make({ stream, closes: true })
  for (const event of events) reporter.report(event)
  await reporter.end()
  return text
}
