import type { Event, Mode } from '../base/event.ts'
import { gather } from './company.ts'
import { printable, printableLine } from './printable.ts'
import { duration, plural } from './quantity.ts'
import { linkText, lostStory, taskStory, told, warningText } from './story.ts'
import type { Story, StoryOptions, TaskEvent } from './story.ts'
import { inOrder, summary } from './summary.ts'
import type { HostDone } from './summary.ts'

/** Turns events into lines of text for people. Nothing is written here. */
export interface Narrator {
  /** Returns the lines that are due with the event. */
  readonly tell: (event: Event) => readonly string[]
  /** Returns the lines that still waited for company. */
  readonly flush: () => readonly string[]
}

/** What has to be remembered until the end. */
interface Memory {
  mode: Mode
  names: readonly string[]
  uncheckable: number
  readonly finished: HostDone[]
  readonly lost: Set<string>
}

/** Makes a narrator: a line for each finished task that matters, a card for a failure, equal lines of many hosts in one, a table at the end. */
export function narrate(options: StoryOptions): Narrator {
  const company = gather()
  const memory: Memory = { mode: 'apply', names: [], uncheckable: 0, finished: [], lost: new Set() }

  function tell(event: Event): readonly string[] {
    remember(memory, event)
    switch (event.type) {
      case 'run_start':
        company.expect(event.hosts)
        return [opening(event, options)]
      case 'play_start':
        return [...company.flush(), playLine(event, options)]
      case 'task_done':
      case 'handler_done':
      case 'host_done':
        return company.take(storyOf(event, memory, options), Date.parse(event.time))
      case 'warning':
        return warningText(event, options)
      case 'host_lost':
      case 'host_reconnected':
        return linkText(event, options)
      case 'run_done':
        return [...company.flush(), ...ending(event, memory, options)]
      default:
        return options.verbosity > 0 ? detail(event, options) : []
    }
  }

  return { tell, flush: company.flush }
}

function remember(memory: Memory, event: Event): void {
  if (event.type === 'run_start') {
    memory.mode = event.mode
    memory.names = event.hosts
  }
  if (event.type === 'host_done') memory.finished.push(event)
  if (event.type !== 'task_done' && event.type !== 'handler_done') return
  if (event.uncheckable === true && memory.mode !== 'apply') memory.uncheckable++
  if (event.status === 'unreachable') memory.lost.add(event.host)
}

/** A host whose task has told of the lost connection does not tell it again at its end. */
function storyOf(event: TaskEvent | HostDone, memory: Memory, options: StoryOptions): Story | undefined {
  if (event.type !== 'host_done') return taskStory(event, options)
  return memory.lost.has(event.host) ? undefined : lostStory(event, options)
}

function ending(
  event: Extract<Event, { type: 'run_done' }>,
  { names, finished, mode, uncheckable }: Memory,
  { palette, verbosity }: StoryOptions,
): readonly string[] {
  return summary({ hosts: inOrder(finished, names), done: event, mode, uncheckable }, palette, verbosity > 0)
}

function opening(event: Extract<Event, { type: 'run_start' }>, { palette }: StoryOptions): string {
  const what = event.playbooks.map(printableLine).join(', ')
  const rest = [what, plural(event.hosts.length, 'host'), `run ${event.run}`].join(' · ')
  return `${palette.strong(`msingi ${event.mode}`)} ${rest}`
}

function playLine(event: Extract<Event, { type: 'play_start' }>, { palette }: StoryOptions): string {
  const rest = `· ${plural(event.hosts.length, 'host')} · ${printableLine(event.at)}`
  const name = printableLine(event.play)
  const word = name.startsWith('play ') ? '' : `${palette.note('play')} `
  return `${word}${palette.strong(name)} ${palette.faint(rest)}`
}

function detail(event: Event, options: StoryOptions): readonly string[] {
  if (event.type === 'host_connected') return connected(event, options)
  if (event.type !== 'task_output') return []
  const edge = options.palette.faint(`${printableLine(event.host)} |`)
  return printable(event.text)
    .replace(/\n$/, '')
    .split('\n')
    .map(line => `${edge} ${line}`.trimEnd())
}

function connected(
  event: Extract<Event, { type: 'host_connected' }>,
  options: StoryOptions,
): readonly string[] {
  const { host, time, run } = event
  const line = { status: 'connected', who: host, tail: `in ${duration(event.ms)}`, body: [] }
  return [
    ...told(line, options.palette),
    ...event.warnings.flatMap(message => warningText({ type: 'warning', message, host, time, run }, options)),
  ]
}
