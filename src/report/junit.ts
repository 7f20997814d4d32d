import type { Event, Mode, Reporter } from '../base/event.ts'
import { changeText } from './change-text.ts'
import { PLAIN_PALETTE } from './palette.ts'
import { escaped } from './markup.ts'
import { writeTo } from './sink.ts'
import type { Sink } from './sink.ts'
import { itemText, type TaskEvent } from './story.ts'

/** Writes a run as JUnit XML when it ends: a suite for each host, a case for each task. */
export function junitReporter(sink: Sink): Reporter {
  const out = writeTo(sink)
  const events: Event[] = []
  return {
    report(event) {
      if (event.type !== 'task_output' && event.type !== 'task_start') events.push(event)
    },
    async end() {
      out.write(junit(events))
      await out.end()
    },
  }
}

/**
 * Returns the events of a run as JUnit XML. Where nothing is written (plan, drift, check), a difference is a failure of
 * its case, so that build servers show it; a host that was lost is an error.
 */
export function junit(events: readonly Event[]): string {
  const suites = new Map<string, Event[]>()
  let mode: Mode = 'apply'
  for (const event of events) {
    if (event.type === 'run_start') mode = event.mode
    if (!('host' in event) || event.host === undefined) continue
    const suite = suites.get(event.host)
    if (suite) suite.push(event)
    else suites.set(event.host, [event])
  }
  const body = [...suites].map(([host, told]) => suiteText(host, told, mode))
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="msingi ${mode}">`,
    ...body,
    '</testsuites>',
    '',
  ].join('\n')
}

function suiteText(host: string, events: readonly Event[], mode: Mode): string {
  const cases = events.filter(event => event.type === 'task_done' || event.type === 'handler_done')
  const done = events.find(event => event.type === 'host_done')
  const lost = done?.failure
  const number = (test: (event: TaskEvent) => boolean): number => cases.filter(test).length
  const attributes = {
    name: host,
    tests: String(cases.length + (lost ? 1 : 0)),
    failures: String(number(event => verdict(event, mode) === 'failure')),
    errors: String(number(event => verdict(event, mode) === 'error') + (lost ? 1 : 0)),
    skipped: String(number(event => verdict(event, mode) === 'skipped')),
    time: seconds(done?.ms ?? 0),
    ...(events[0] ? { timestamp: events[0].time } : {}),
  }
  return [
    `  ${open('testsuite', attributes)}>`,
    ...cases.map(event => caseText(event, mode)),
    ...(lost ? [lostText(host, lost.code, lost.message)] : []),
    '  </testsuite>',
  ].join('\n')
}

function caseText(event: TaskEvent, mode: Mode): string {
  const item = itemText(event)
  const head = open('testcase', {
    name: item === undefined ? event.task : `${event.task} (${item})`,
    classname: `${event.play}.${event.module}`,
    file: event.at,
    time: seconds(event.ms),
  })
  const found = verdict(event, mode)
  if (found === 'passed') return `    ${head}/>`
  if (found === 'skipped') {
    return `    ${head}>${open('skipped', { message: event.reason ?? '' })}/></testcase>`
  }
  const message = event.failure?.message ?? `${event.status.replace('_', ' ')} ${event.reason ?? ''}`.trim()
  const type = event.failure?.code ?? event.status
  return `    ${head}>${open(found, { message, type })}>${xml(detail(event))}</${found}></testcase>`
}

function lostText(host: string, code: string, message: string): string {
  const head = open('testcase', { name: `reach ${host}`, classname: 'connection' })
  return `    ${head}>${open('error', { message, type: code })}/></testcase>`
}

function verdict(event: TaskEvent, mode: Mode): 'passed' | 'skipped' | 'failure' | 'error' {
  if (event.status === 'unreachable') return 'error'
  if (event.status === 'failed') return event.ignored === true ? 'passed' : 'failure'
  if (event.status === 'skipped' || event.status === 'unknown') return 'skipped'
  return event.status === 'would_change' && mode !== 'apply' ? 'failure' : 'passed'
}

function detail(event: TaskEvent): string {
  const changes = event.changes.flatMap(change => changeText(change, true, PLAIN_PALETTE))
  const { failure } = event
  const parts = failure
    ? [failure.command && `command: ${failure.command}`, failure.stderr, failure.stdout, failure.hint]
    : []
  return [...changes, ...parts.filter(part => part !== undefined && part !== '')].join('\n')
}

function open(tag: string, attributes: Readonly<Record<string, string>>): string {
  const text = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${xml(value).replaceAll('\n', '&#10;')}"`,
  )
  return `<${tag}${text.join('')}`
}

/** XML 1.0 has no place for these two, escaped or not. */
function xml(text: string): string {
  return escaped(text).replace(/[\uffff\ufffe]/g, '\ufffd')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
