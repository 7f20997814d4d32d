import type { Event, TaskOutcome } from '../base/event.ts'
import type { Status } from '../base/result.ts'
import { failureCard } from './card.ts'
import { changeText, valueText } from './change-text.ts'
import type { Colour, Palette } from './palette.ts'
import { pad, printable, printableLine } from './printable.ts'
import { duration } from './quantity.ts'

export interface StoryOptions {
  readonly palette: Palette
  /** 0: what differs and what failed; 1: also what was right or skipped, and live output; 2: also what `register` holds. */
  readonly verbosity: number
  /** Show differing texts line by line. */
  readonly diff: boolean
}

/** Something worth a line or a card. Stories of several hosts with equal `same` are one story. */
export interface Story {
  readonly host: string
  readonly same: string
  readonly urgent: boolean
  /** Returns the lines, told of `who`. */
  readonly lines: (who: string) => readonly string[]
}

export type TaskEvent = Extract<Event, { type: 'task_done' | 'handler_done' }>

/** Returns what is said of the loop's item; nothing where there is no loop. */
export function itemText({ label, item }: TaskEvent): string | undefined {
  return label ?? (item === undefined ? undefined : valueText(item))
}

const STATUS_WIDTH = 12
const BODY_INDENT = ' '.repeat(STATUS_WIDTH + 3)

/** Returns what a finished task has to say, or undefined where that is nothing worth a line. */
export function taskStory(event: TaskEvent, options: StoryOptions): Story | undefined {
  const body = taskBody(event, options)
  if (body.length === 0 && isQuiet(event) && options.verbosity === 0) return undefined
  const status = event.ignored === true ? 'ignored' : event.status
  const tail = taskTail(event, options)
  return {
    host: event.host,
    same: [status, tail, event.at, ...body].join('\n'),
    urgent: status === 'failed' || status === 'unreachable',
    lines: who => told({ status, who, tail, body }, options.palette),
  }
}

/** Returns what is said about a host that was lost. */
export function lostStory(
  event: Extract<Event, { type: 'host_done' }>,
  options: StoryOptions,
): Story | undefined {
  const { failure } = event
  if (!failure) return undefined
  const body = failureCard(failure, undefined, options.palette)
  return {
    host: event.host,
    same: ['unreachable', ...body].join('\n'),
    urgent: true,
    lines: who => told({ status: 'unreachable', who, tail: 'host lost', body }, options.palette),
  }
}

/** Returns a warning as lines. */
export function warningText(
  event: Extract<Event, { type: 'warning' }>,
  options: StoryOptions,
): readonly string[] {
  const place = event.at === undefined ? '' : ` (${printableLine(event.at)})`
  const [head = '', ...rest] = printable(event.message).split('\n')
  const line = { status: 'warning', who: event.host, tail: `${head}${place}`, body: rest }
  return told(line, options.palette)
}

/** Returns what is said of a link that was cut, or is there again. */
export function linkText(
  event: Extract<Event, { type: 'host_lost' | 'host_reconnected' }>,
  { palette }: StoryOptions,
): readonly string[] {
  if (event.type === 'host_lost') {
    const tail = `${printableLine(event.failure.message)}; trying to reach it again for ${duration(event.seconds * 1000)}`
    return told({ status: 'link lost', who: event.host, tail, body: [] }, palette)
  }
  const anew = event.restarted ? '; it was started anew meanwhile' : ''
  return told(
    { status: 'back', who: event.host, tail: `after ${duration(event.ms)}${anew}`, body: [] },
    palette,
  )
}

/** Returns lines of a story: status, who, what, and the body below it. */
export function told(
  line: {
    readonly status: string
    readonly who: string | undefined
    readonly tail: string
    readonly body: readonly string[]
  },
  palette: Palette,
): readonly string[] {
  const word = colourOf(line.status, palette)(pad(line.status.replace('_', ' '), STATUS_WIDTH))
  const subject = line.who === undefined ? '' : `${palette.strong(printableLine(line.who))}: `
  return [`${word} ${subject}${line.tail}`, ...line.body.map(text => `${BODY_INDENT}${text}`.trimEnd())]
}

function isQuiet(event: TaskEvent): boolean {
  return event.status === 'ok' || event.status === 'skipped'
}

function taskTail(event: TaskEvent, { palette, verbosity }: StoryOptions): string {
  const item = itemText(event)
  const kind = event.type === 'handler_done' ? `${event.module}, handler` : event.module
  return [
    printableLine(event.task),
    item === undefined ? '' : palette.note(` (${printableLine(item)})`),
    palette.faint(` [${printableLine(kind)}]`),
    event.reason === undefined ? '' : palette.faint(` ${reasonText(event.status, event.reason)}`),
    verbosity >= 2 ? palette.faint(` ${duration(event.ms)}`) : '',
  ].join('')
}

function reasonText(status: Status, reason: string): string {
  const text = printableLine(reason)
  return status === 'unknown' && !text.startsWith('until') ? `until ${text}` : text
}

function taskBody(event: TaskEvent, options: StoryOptions): readonly string[] {
  const { palette, verbosity, diff } = options
  const body = event.changes.flatMap(change => changeText(change, diff, palette))
  if (event.failure || event.status === 'failed') {
    return [...body, ...failureCard(event.failure, event.at, palette)]
  }
  if (event.module === 'debug') return [...body, ...debugText(event.result)]
  if (verbosity >= 2) return [...body, ...resultText(event.result)]
  return body
}

/** What `debug` says: its message, or the variable under its own name. */
function debugText(result: TaskOutcome['result']): readonly string[] {
  if (typeof result['msg'] === 'string') return printable(result['msg']).split('\n')
  return resultText(result)
}

const BOOKKEEPING = new Set(['changed', 'failed', 'skipped', 'stdout_lines', 'stderr_lines'])

function resultText(result: TaskOutcome['result']): readonly string[] {
  return Object.entries(result)
    .filter(([key, value]) => !BOOKKEEPING.has(key) && value !== '' && value !== undefined)
    .flatMap(([key, value]) => {
      const text = typeof value === 'string' ? value : (JSON.stringify(value, undefined, 2) ?? '')
      return printable(`${key}: ${text.includes('\n') && typeof value === 'string' ? `\n${text}` : text}`)
        .trimEnd()
        .split('\n')
    })
}

function colourOf(status: string, palette: Palette): Colour {
  switch (status) {
    case 'changed':
    case 'would_change':
    case 'warning':
    case 'link lost':
      return palette.changed
    case 'failed':
    case 'unreachable':
      return palette.bad
    case 'unknown':
    case 'ignored':
      return palette.note
    default:
      return status === 'ok' ? palette.good : palette.faint
  }
}
