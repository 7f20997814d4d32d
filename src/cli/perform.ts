import { randomBytes } from 'node:crypto'
import type { Event, EventBody, Mode, Reporter } from '../base/event.ts'
import { Redactor, type Secret } from '../base/secret.ts'
import type { Project } from '../plan/step.ts'
import type { RunOptions } from '../run/run.ts'
import { generatedSecrets } from './generated.ts'
import { interruptible } from './interrupt.ts'
import { lockWish, operator } from './locking.ts'
import type { PlayFlags } from './options.ts'
import { openReporters, readWishes } from './outputs.ts'
import { becomePassword } from './password.ts'
import type { OpenProject } from './project.ts'
import { askPrompts } from './prompts.ts'
import { recordOf } from './record.ts'
import { runDeadline } from './run-deadline.ts'

/** What a run needs of the person and the process. */
export interface Means {
  readonly redactor: Redactor
  readonly password: Secret | undefined
  readonly reporters: readonly Reporter[]
  /** With the answers to what its plays ask for. */
  readonly project: Project
}

/** Asks for passwords and for what the plays want to know, and opens the outputs. */
export async function means(flags: PlayFlags, opened: OpenProject): Promise<Means> {
  const wishes = readWishes(flags.output, process)
  const redactor = new Redactor()
  opened.keyring.onSecret(secret => {
    redactor.add(secret)
  })
  const password = await becomePassword(flags, process.env)
  if (password) redactor.add(password)
  const project = await askPrompts(opened.project, flags, process.env, redactor)
  return { redactor, password, project, reporters: await openReporters(wishes, flags, process) }
}

/** Runs a project in one of the modes and returns the exit status. */
export async function perform(
  mode: Mode,
  opened: OpenProject,
  flags: PlayFlags,
  { redactor, password, project, reporters }: Means,
  more: Pick<RunOptions, 'salt' | 'onPlanned' | 'allowed' | 'only' | 'onThrough'>,
): Promise<number> {
  const id = runId(new Date())
  const told: Reporter[] = [...reporters]
  const report = (event: Event): void => {
    for (const reporter of told) reporter.report(event)
  }
  const warn = (message: string): void => {
    const body: EventBody = { type: 'warning', message: redactor.mask(message) }
    report({ ...body, time: new Date().toISOString(), run: id })
  }
  let { inventory } = opened
  const growing = {
    ...opened,
    get inventory() {
      return inventory
    },
  }
  const [{ run }, { connecting }, record] = await Promise.all([
    import('../run/run.ts'),
    import('./connecting.ts'),
    recordOf({ id, mode }, opened, warn),
  ])
  told.push(record)
  const stop = interruptible(warn)
  const connect = connecting(growing, flags, password, warn)
  const time = runDeadline(flags.deadline, stop.signal, connect, warn)
  try {
    const { exit } = await run(project, {
      ...more,
      mode,
      run: id,
      remembers: true,
      wantsDiff: flags.diff === true,
      forks: flags.forks,
      lock: lockWish(id, flags, process.env),
      operator: operator(),
      become: { wanted: flags.become, user: flags.becomeUser, method: flags.becomeMethod },
      taskSeconds: flags.taskTimeout,
      connect: time.connect,
      signal: time.signal,
      onGrown: now => {
        inventory = now
      },
      emit: report,
      redactor,
      generated: generatedSecrets(opened.keyring, mode === 'apply', warn),
    })
    return exit
  } finally {
    await Promise.all(told.map(reporter => reporter.end()))
    time.release()
    stop.release()
  }
}

/** Returns an identifier that sorts by time and is unique enough for the controllers of one project. */
function runId(now: Date): string {
  const [date = '', time = ''] = now.toISOString().replaceAll('-', '').replaceAll(':', '').split('T')
  return `${date}-${time.slice(0, 6)}-${randomBytes(2).toString('hex')}`
}
