import type { Event, Reporter } from '../base/event.ts'
import { failureCard } from './card.ts'
import { changeText } from './change-text.ts'
import { Html, markup } from './markup.ts'
import { PLAIN_PALETTE } from './palette.ts'
import { printableLine } from './printable.ts'
import { duration, plural, size } from './quantity.ts'
import { writeTo, type Sink } from './sink.ts'
import { itemText, type TaskEvent } from './story.ts'
import { inOrder, isLost, shownCounts, verdictOf, type HostDone, type Outcome } from './summary.ts'

type Of<Type extends Event['type']> = Extract<Event, { type: Type }>

/** What the page says of a task, with all hosts of which it says the same. */
interface Entry {
  readonly status: string
  readonly title: string
  readonly module: string
  readonly at: string
  readonly lines: readonly string[]
  readonly hosts: string[]
}

/** The sections of the page, in this order; what nobody need look at comes folded. */
const SECTIONS: readonly (readonly [title: string, statuses: readonly string[], isFolded: boolean])[] = [
  ['Failed', ['failed', 'unreachable'], false],
  ['Would change', ['would_change'], false],
  ['Unknown', ['unknown'], false],
  ['Changed', ['changed'], false],
  ['Failed, and taken care of', ['ignored'], false],
  ['As it should be', ['ok'], true],
  ['Skipped', ['skipped'], true],
]

/** With more hosts the table of them comes folded. */
const MOST_ROWS = 20

/** Writes a run as one page when it ends: to send, to print, to keep. It loads nothing and runs nothing. */
export function htmlReporter(sink: Sink): Reporter {
  const out = writeTo(sink)
  const events: Event[] = []
  return {
    report(event) {
      if (event.type !== 'task_output' && event.type !== 'task_start') events.push(event)
    },
    async end() {
      out.write(page(events))
      await out.end()
    },
  }
}

/** Returns the events of a run as a page. */
export function page(events: readonly Event[]): string {
  const start = events.find((event): event is Of<'run_start'> => event.type === 'run_start')
  const done = events.find((event): event is Of<'run_done'> => event.type === 'run_done')
  const title = `msingi ${start?.mode ?? 'apply'} ${(start?.playbooks ?? []).map(printableLine).join(', ')}`
  const outcome = done && outcomeOf(events, start, done)
  const lead = start ? `${when(start.time)} · ${plural(start.hosts.length, 'host')} · run ${start.run}` : ''
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<h1>${title}</h1>
${outcome ? verdict(outcome) : markup`<p class="verdict bad">the run did not come to its end</p>`}
<p class="faint">${lead}</p>
${outcome ? table(outcome) : ''}
${warnings(events)}
${sections(events)}
</body>
</html>
`.text
}

function outcomeOf(
  events: readonly Event[],
  start: Of<'run_start'> | undefined,
  done: Of<'run_done'>,
): Outcome {
  const finished = events.filter((event): event is HostDone => event.type === 'host_done')
  const hosts = inOrder(finished, start?.hosts ?? [])
  const uncheckable = events.filter(event => 'uncheckable' in event && event.uncheckable).length
  return { hosts, done, mode: start?.mode ?? 'apply', uncheckable }
}

function verdict(outcome: Outcome): Html {
  const { done, mode, uncheckable } = outcome
  const look = done.exit === 0 ? 'good' : done.exit === 2 ? 'changed' : 'bad'
  const odd = uncheckable > 0 && mode !== 'apply'
  const note = `${plural(uncheckable, 'task')} cannot be checked: commands without creates, removes or unless`
  return markup`<p class="verdict ${look}">${verdictOf(outcome)} <span class="faint">(exit ${done.exit}, ${duration(done.ms)})</span></p>
${odd ? markup`<p>${note}</p>` : ''}`
}

function table(outcome: Outcome): Html {
  const counted = shownCounts(outcome)
  const names = ['host', ...counted.map(name => name.replace('_', ' ')), 'sent', 'received', 'time']
  const rows = outcome.hosts.map(host => {
    const counts = counted.map(
      name => markup`<td class="${host.counts[name] > 0 ? name : 'faint'}">${host.counts[name]}</td>`,
    )
    const costs = [size(host.bytes_sent), size(host.bytes_received), duration(host.ms)]
    return markup`<tr><th class="${isLost(host) ? 'unreachable' : ''}">${printableLine(host.host)}</th>${counts}${costs.map(cost => markup`<td>${cost}</td>`)}</tr>\n`
  })
  const body = markup`<table>
<tr>${names.map(name => markup`<th>${name}</th>`)}</tr>
${rows}</table>`
  return rows.length > MOST_ROWS ? fold(plural(rows.length, 'host'), [body]) : body
}

function warnings(events: readonly Event[]): Html | '' {
  const told = new Map<string, Set<string>>()
  for (const { message, host } of events.flatMap(warningsIn)) {
    const hosts = told.get(message) ?? new Set()
    told.set(message, host === undefined ? hosts : hosts.add(host))
  }
  const items = [...told].map(
    ([message, hosts]) => markup`<li>${message} <span class="faint">${namesOf([...hosts])}</span></li>\n`,
  )
  return items.length === 0 ? '' : markup`<h2>Warnings</h2><ul>${items}</ul>`
}

function warningsIn(event: Event): readonly { readonly message: string; readonly host?: string }[] {
  if (event.type === 'warning') return [event]
  return event.type === 'host_connected' ? event.warnings.map(message => ({ message, host: event.host })) : []
}

function sections(events: readonly Event[]): readonly Html[] {
  const entries = entriesOf(events)
  return SECTIONS.flatMap(([title, statuses, isFolded]) => {
    const found = entries.filter(({ status }) => statuses.includes(status))
    if (found.length === 0) return []
    const head = `${title} (${found.length})`
    const body = found.map(entryText)
    return [isFolded ? fold(head, body) : markup`<h2>${head}</h2>${body}`]
  })
}

function fold(head: string, body: readonly Html[]): Html {
  return markup`<details><summary>${head}</summary>${body}</details>`
}

function entriesOf(events: readonly Event[]): readonly Entry[] {
  const entries = new Map<string, Entry>()
  const told = new Set<string>()
  for (const event of events) {
    const entry = entryOf(event, told)
    if (entry === undefined) continue
    const { hosts, ...rest } = entry
    const key = JSON.stringify(rest)
    const known = entries.get(key)
    if (known) known.hosts.push(...hosts)
    else entries.set(key, entry)
  }
  return [...entries.values()]
}

/** A host whose task has told that it was lost does not tell it again. */
function entryOf(event: Event, told: Set<string>): Entry | undefined {
  if (event.type === 'host_done') {
    if (!event.failure || told.has(event.host)) return undefined
    const lines = failureCard(event.failure, undefined, PLAIN_PALETTE)
    return { status: 'unreachable', title: 'Host lost', module: '', at: '', lines, hosts: [event.host] }
  }
  if (event.type !== 'task_done' && event.type !== 'handler_done') return undefined
  if (event.status === 'unreachable') told.add(event.host)
  const item = itemText(event)
  return {
    status: event.ignored === true ? 'ignored' : event.status,
    title: item === undefined ? event.task : `${event.task} (${item})`,
    module: event.type === 'handler_done' ? `${event.module}, handler` : event.module,
    at: event.at,
    lines: linesOf(event),
    hosts: [event.host],
  }
}

function linesOf(event: TaskEvent): readonly string[] {
  return [
    ...(event.reason === undefined ? [] : [printableLine(event.reason)]),
    ...event.changes.flatMap(change => changeText(change, true, PLAIN_PALETTE)),
    ...(event.failure ? failureCard(event.failure, undefined, PLAIN_PALETTE) : []),
  ]
}

function entryText({ status, title, module, at, lines, hosts }: Entry): Html {
  const place = [module, at].filter(text => text !== '').join(' · ')
  const body = lines.length === 0 ? '' : markup`<pre>${lines.map(lineText)}</pre>`
  return markup`<div class="entry"><p><b class="${status}">${status.replace('_', ' ')}</b> ${printableLine(title)} <span class="faint">${place}</span></p>
<p class="hosts">${namesOf(hosts)}</p>${body}</div>\n`
}

function lineText(line: string): Html {
  const look = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : 'same'
  return markup`<span class="${look}">${line}</span>\n`
}

function namesOf(hosts: readonly string[]): string {
  return hosts.map(printableLine).join(', ')
}

function when(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}

const STYLE = `
:root { color-scheme: light dark; --good: #1a7f37; --changed: #9a6700; --bad: #cf222e; --note: #0969da; --edge: #8884 }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --changed: #d29922; --bad: #f85149; --note: #58a6ff } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 }
h2, summary { font-size: 1.1rem; font-weight: 600; margin: 2rem 0 .5rem }
summary { cursor: pointer }
p { margin: .2rem 0 }
.verdict { font-size: 1.2rem; font-weight: 600 }
.faint { opacity: .65; font-weight: normal }
.good, .ok, .added { color: var(--good) }
.changed, .would_change { color: var(--changed) }
.bad, .failed, .unreachable, .removed { color: var(--bad) }
.unknown, .ignored { color: var(--note) }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem; border-bottom: 1px solid var(--edge); text-align: right }
tr > :first-child { text-align: left; padding-left: 0 }
.entry { border-left: 3px solid var(--edge); padding-left: .8rem; margin: .8rem 0; break-inside: avoid }
.hosts { overflow-wrap: anywhere }
pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0 }
`
