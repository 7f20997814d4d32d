import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'

/** Returns the error for an answer that cannot be understood. The message holds no more of the answer than helps. */
export function unreadable(message: string, hint?: string): TaskError {
  return new TaskError('PROBE_UNREADABLE', message, hint)
}

/** Returns the error for a question whose command ended with a status that means no answer. */
export function brokenOff(command: string, answer: Completed): TaskError {
  const said = answer.err.trim().split('\n').slice(0, 3).join('; ').slice(0, 300)
  const message = `\`${command}\` ended with status ${answer.code}${said === '' ? '' : `: ${said}`}`
  return unreadable(message, answer.code === 127 ? `install \`${command}\` on the host` : undefined)
}

/** Returns the lines of a text in which every line is ended. */
export function endedLines(text: string): readonly string[] {
  const rows = text.split('\n')
  if (rows.pop() !== '') throw unreadable('the answer stops in the middle of a line')
  return rows
}
