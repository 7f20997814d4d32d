import type { Event, HostCounts, Mode, Reporter } from '../base/event.ts'
import { printableLine } from './printable.ts'
import { writeTo } from './sink.ts'
import type { Sink } from './sink.ts'

type HostDone = Extract<Event, { type: 'host_done' }>
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

const STATUSES = [
  'ok',
  'changed',
  'would_change',
  'unknown',
  'skipped',
  'failed',
  'unreachable',
  'ignored',
] as const satisfies readonly (keyof HostCounts)[]

/** Writes a run as metrics for Prometheus's textfile collector when it ends. */
export function prometheusReporter(sink: Sink): Reporter {
  const out = writeTo(sink)
  const events: Event[] = []
  return {
    report(event) {
      if (/^(?:run_start|host_done|run_done)$/.test(event.type)) events.push(event)
    },
    async end() {
      out.write(prometheus(events))
      await out.end()
    },
  }
}

/** Returns the run's outcome in Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function prometheus(events: readonly Event[]): string {
  const mode = events.find(event => event.type === 'run_start')?.mode ?? 'apply'
  const hosts = events.filter(event => event.type === 'host_done')
  const done = events.find(event => event.type === 'run_done')
  return [...hostMetrics(hosts, mode), ...(done ? runMetrics(done, mode) : [])].join('')
}

function hostMetrics(hosts: readonly HostDone[], mode: Mode): readonly string[] {
  const each = (value: (host: HostDone) => number): readonly Sample[] =>
    hosts.map(host => [{ host: host.host, mode }, value(host)])
  const tasks = hosts.flatMap(({ host, counts }) =>
    STATUSES.map((status): Sample => [{ host, mode, status }, counts[status]]),
  )
  return [
    metric('msingi_host_tasks', 'Tasks of the last run by outcome.', tasks),
    metric(
      'msingi_host_reachable',
      'Whether the host was reached to the end of the last run.',
      each(host => (host.failure || host.counts.unreachable > 0 ? 0 : 1)),
    ),
    metric(
      'msingi_host_duration_seconds',
      'Time the last run took on the host.',
      each(host => host.ms / 1000),
    ),
  ]
}

function runMetrics(done: Extract<Event, { type: 'run_done' }>, mode: Mode): readonly string[] {
  return [
    metric('msingi_run_exit_status', 'Exit status of the last run.', [[{ mode }, done.exit]]),
    metric('msingi_run_duration_seconds', 'Time the last run took.', [[{ mode }, done.ms / 1000]]),
    metric('msingi_run_end_timestamp_seconds', 'When the last run ended.', [
      [{ mode }, Date.parse(done.time) / 1000],
    ]),
  ]
}

function metric(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}{${labelText(labels)}} ${value}\n`)
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(',')
}

function escaped(value: string): string {
  return printableLine(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
}
