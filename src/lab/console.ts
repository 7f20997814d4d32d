import { connect } from 'node:net'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { LabError } from './error.ts'
import { FILES } from './machine-words.ts'
import { hostFolder, type OpenLab } from './state.ts'

/** Ends the visit, as in many terminals: Ctrl-]. */
const LEAVE = 0x1d

/**
 * Joins a person's terminal with the serial console of a machine until one of them leaves.
 *
 * @throws LabError WRONG_STATE where the machine does not run.
 */
export function visitConsole(lab: OpenLab, host: string, from: Readable, to: Writable): Promise<void> {
  const link = connect(join(hostFolder(lab, host), FILES.console))
  return new Promise((resolve, reject) => {
    link.once('error', () => reject(new LabError('WRONG_STATE', `\`${host}\` does not run`)))
    link.once('close', () => resolve())
    link.pipe(to, { end: false })
    from.on('data', (bytes: Buffer) => {
      if (bytes.includes(LEAVE)) link.end()
      else link.write(bytes)
    })
    from.once('end', () => link.end())
  })
}
