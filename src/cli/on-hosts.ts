import { ConnectError, DeadlineError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { Redactor } from '../base/secret.ts'
import type { Host } from '../inventory/model.ts'
import { paletteFor } from '../report/palette.ts'
import { printableLine } from '../report/printable.ts'
import { describe } from '../run/host-lock.ts'
import { inParallel } from '../run/parallel.ts'
import { holderScript, lockFolder, readHolder } from '../shell/lock.ts'
import type { Become, Part, Session } from '../transport/session.ts'
import { complaint } from './complain.ts'
import { connecting } from './connecting.ts'
import { EXIT, worst } from './exit.ts'
import { interruptible } from './interrupt.ts'
import type { OpenInventory } from './inventory.ts'
import type { ReachFlags } from './options.ts'
import { becomePassword } from './password.ts'

/** What is done on one host; it returns the exit status that its outcome asks for. */
export interface Work {
  readonly session: Session
  readonly host: Host
  readonly signal: AbortSignal
  /** Masks what leaves the process. */
  readonly mask: (text: string) => string
}

/** Opens a shell on each host and works there, side by side; hosts that cannot be reached are told on stderr. */
export async function onHosts(
  opened: OpenInventory,
  hosts: readonly Host[],
  flags: ReachFlags,
  work: (work: Work) => Promise<number>,
): Promise<number> {
  const password = await becomePassword(flags, process.env)
  const redactor = new Redactor()
  if (password) redactor.add(password)
  const { signal, release } = interruptible(say)
  const connect = connecting(opened, flags, password, say)
  const statuses: number[] = []
  const mask = (text: string): string => redactor.mask(text)
  try {
    await inParallel(hosts, flags.forks, async host => {
      if (signal.aborted) return
      const connection = connect(host.name, signal)
      try {
        const session = await (await connection).shell(becomeOf(host, flags))
        statuses.push(await work({ session, host, signal, mask }))
      } catch (error) {
        statuses.push(lost(error, signal, mask))
      } finally {
        await connection.then(
          open => open.close(),
          () => undefined,
        )
      }
    })
  } finally {
    release()
  }
  return signal.aborted ? EXIT.interrupted : worst(statuses)
}

function lost(error: unknown, signal: AbortSignal, mask: (text: string) => string): number {
  if (signal.aborted) return EXIT.interrupted
  const isHost = error instanceof ConnectError || error instanceof DeadlineError
  if (!isHost) throw error
  const told = error instanceof DeadlineError ? new ConnectError(error.host, 'lost', error.message) : error
  process.stderr.write(mask(complaint(told, paletteFor(process.stderr, process.env)).text))
  return EXIT.unreachable
}

/** Returns the piece of a frame that finds out who is at work on the host. */
export function lookForHolder({ uid }: Session): Part {
  return { script: holderScript(lockFolder(uid)) }
}

/** Tells on stderr who is at work on the host: what is seen may be half of something. */
export function tellHolder({ host, mask }: Work, answer: Completed | undefined): void {
  const holder = answer?.code === 0 ? readHolder(answer.out) : undefined
  if (holder) say(mask(printableLine(`${host.name}: ${describe(holder)}`)))
}

/** Returns whom to become on the host, as the command line and the inventory say. */
export function becomeOf({ reach }: Host, flags: ReachFlags): Become | undefined {
  if (!(flags.become ?? reach.become ?? false)) return undefined
  return {
    user: flags.becomeUser ?? reach.becomeUser ?? 'root',
    method: flags.becomeMethod ?? reach.becomeMethod ?? 'sudo',
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
