import { readFileSync, readdirSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import type { Event, EventType } from '../../src/base/event.ts'
import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { jsonLine } from '../../src/report/json.ts'

interface Schema {
  readonly $defs: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const schema = JSON.parse(readFileSync('schema/events.json', 'utf8')) as Schema

/** As published, but refusing fields it does not describe: new fields must be described. */
const closed = {
  ...schema,
  $defs: Object.fromEntries(
    Object.entries(schema.$defs).map(([name, def]) => [
      name,
      'properties' in def ? { ...def, additionalProperties: false } : def,
    ]),
  ),
}

const open = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)
const strict = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(closed)

const stamp = { time: '2026-03-02T08:00:00.000Z', run: '20260302-080000-4f1c' }
const at = { host: 'web1', play: 'Base', task: 'Write', module: 'copy', at: 'site.yml:3:7' }
const counts = {
  ok: 1,
  changed: 0,
  would_change: 0,
  unknown: 0,
  skipped: 0,
  failed: 0,
  unreachable: 0,
  ignored: 0,
}
const failure = {
  code: 'COMMAND_FAILED',
  message: 'no',
  hint: 'look',
  command: 'x',
  rc: 1,
  stdout: '',
  stderr: '',
}
const outcome = {
  status: 'failed',
  changes: [
    { kind: 'content', what: '/x', before: null, after: new Secret('hunter2'), destroys: true },
    { kind: 'groups', what: 'u', before: ['a'], after: new Unknown('Install') },
  ],
  result: { changed: true, nested: { token: new Secret('hunter2') } },
  register: 'r',
  item: { any: 'thing' },
  label: 'thing',
  ms: 12.5,
  failure,
  ignored: true,
  reason: 'why',
  uncheckable: true,
} as const

/** One of each type with every field; the compiler asks for a sample of each type. */
const samples: { readonly [T in EventType]: Extract<Event, { type: T }> } = {
  run_start: { ...stamp, type: 'run_start', mode: 'drift', playbooks: ['site.yml'], hosts: ['web1'] },
  play_start: { ...stamp, type: 'play_start', play: 'Base', at: 'site.yml:1:3', hosts: ['web1'] },
  host_lost: {
    ...stamp,
    type: 'host_lost',
    host: 'web1',
    failure: { code: 'CONNECT_LOST', message: 'the link was lost' },
    seconds: 300,
  },
  host_reconnected: {
    ...stamp,
    type: 'host_reconnected',
    host: 'web1',
    ms: 12_000,
    attempts: 4,
    restarted: false,
  },
  host_connected: { ...stamp, type: 'host_connected', host: 'web1', ms: 3, warnings: ['noise'] },
  task_start: { ...stamp, ...at, type: 'task_start' },
  task_output: { ...stamp, ...at, type: 'task_output', stream: 'stderr', text: 'x\n' },
  task_done: { ...stamp, ...at, ...outcome, type: 'task_done' },
  handler_done: { ...stamp, ...at, ...outcome, type: 'handler_done' },
  host_done: {
    ...stamp,
    type: 'host_done',
    host: 'web1',
    counts,
    frames: 2,
    bytes_sent: 1,
    bytes_received: 1,
    ms: 3,
    failure,
  },
  warning: { ...stamp, type: 'warning', message: 'm', host: 'web1', at: 'site.yml:1:3' },
  run_done: { ...stamp, type: 'run_done', counts, exit: 1, ms: 3 },
}

describe('schema of events', () => {
  test.each(Object.entries(samples))('describes every field of %s', (_type, event) => {
    expect(complaints(jsonLine(event))).toEqual([])
  })

  test('describes exactly the types there are', () => {
    const types = Object.values(schema.$defs).filter(def => JSON.stringify(def).includes('"type":{"const"'))
    expect(types).toHaveLength(Object.keys(samples).length)
  })

  test('accepts fields that come later and refuses a missing one', () => {
    const line = JSON.parse(jsonLine(samples.run_done)) as Record<string, unknown>
    expect(open({ ...line, later: 1 })).toBe(true)
    expect(strict({ ...line, later: 1 })).toBe(false)
    delete line['exit']
    expect(open(line)).toBe(false)
  })

  test('no secret stands in a line, however deep', () => {
    expect(jsonLine(samples.task_done)).not.toContain('hunter2')
  })

  const logs = readdirSync(import.meta.dirname).filter(name => name.endsWith('.events.jsonl'))
  test.each(logs)('fits %s', name => {
    const lines = readFileSync(`${import.meta.dirname}/${name}`, 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines.flatMap(complaints)).toEqual([])
  })
})

function complaints(line: string): readonly unknown[] {
  return strict(JSON.parse(line)) ? [] : (strict.errors ?? [])
}
