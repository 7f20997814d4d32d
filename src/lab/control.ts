import { connect, type Socket } from 'node:net'
import { LabError } from './error.ts'

const DEADLINE_MS = 10_000

/**
 * Gives QEMU one command over its control socket and returns the answer.
 *
 * @throws LabError PROGRAM_FAILED where it refuses, TOO_SLOW where it does not answer, WRONG_STATE where it does not run.
 */
export async function control(
  socket: string,
  command: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const link = connect(socket)
  try {
    return await converse(link, command, args)
  } finally {
    link.destroy()
  }
}

interface Answer {
  readonly QMP?: unknown
  readonly return?: unknown
  readonly error?: { readonly desc: string }
}

function converse(link: Socket, command: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const send = (execute: string, more: object): void => {
      link.write(`${JSON.stringify({ execute, ...more })}\n`)
    }
    let isGreeted = false
    const hear = (answer: Answer): void => {
      if (answer.QMP !== undefined) send('qmp_capabilities', {})
      else if (answer.error) reject(new LabError('PROGRAM_FAILED', `\`${command}\`: ${answer.error.desc}`))
      else if (answer.return === undefined) return
      else if (isGreeted) resolve(answer.return)
      else {
        isGreeted = true
        send(command, { arguments: args })
      }
    }
    let rest = ''
    link.on('data', bytes => {
      const lines = (rest + bytes.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') hear(JSON.parse(line) as Answer)
    })
    link.setTimeout(DEADLINE_MS, () => reject(new LabError('TOO_SLOW', `no answer to \`${command}\``)))
    const gone = (): void => reject(new LabError('WRONG_STATE', 'the machine does not run'))
    link.once('error', gone).once('close', gone)
  })
}
