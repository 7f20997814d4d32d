import type { Sh } from '../shell/sh.ts'
import type { Session } from '../transport/session.ts'
import { LabError } from './error.ts'

const DEADLINE_MS = 120_000

/** Runs a script on the host of a drill and returns what it printed. */
export async function onHost(session: Session, script: Sh, deadlineMs = DEADLINE_MS): Promise<string> {
  const [answer] = await session.exchange([{ script }], { deadlineMs })
  if (answer?.code === 0) return answer.out
  throw new LabError('PROGRAM_FAILED', `on the host: ${answer?.err ?? 'no answer'}`)
}
