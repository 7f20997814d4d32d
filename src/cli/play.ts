import { randomBytes } from 'node:crypto'
import type { Event, EventBody, Mode, Reporter } from '../base/event.ts'
import { Redactor } from '../base/secret.ts'
import { interruptible } from './interrupt.ts'
import { hostLines, taskLines } from './listing.ts'
import type { PlayFlags } from './options.ts'
import { openReporters, readWishes } from './outputs.ts'
import { becomePassword } from './password.ts'
import { openProject } from './project.ts'
import type { OpenProject } from './project.ts'

/** Runs playbooks in one of the modes and returns the exit status. */
export async function play(mode: Mode, files: readonly string[], flags: PlayFlags): Promise<number> {
  const wishes = readWishes(flags.output, process)
  const opened = openProject(files, flags, process.env)
  if (flags.listHosts || flags.listTasks) {
    const lines = [
      ...(flags.listHosts ? hostLines(opened.project) : []),
      ...(flags.listTasks ? taskLines(opened.project) : []),
    ]
    process.stdout.write(lines.map(line => `${line}\n`).join(''))
    return 0
  }
  const redactor = new Redactor()
  const password = await becomePassword(flags, process.env)
  if (password) redactor.add(password)
  const reporters = await openReporters(wishes, flags, process)
  return perform(mode, opened, flags, { redactor, password, reporters })
}

interface Means {
  readonly redactor: Redactor
  readonly password: Awaited<ReturnType<typeof becomePassword>>
  readonly reporters: readonly Reporter[]
}

async function perform(mode: Mode, opened: OpenProject, flags: PlayFlags, means: Means): Promise<number> {
  const id = runId(new Date())
  const report = (event: Event): void => {
    for (const reporter of means.reporters) reporter.report(event)
  }
  const warn = (message: string): void => {
    const body: EventBody = { type: 'warning', message: means.redactor.mask(message) }
    report({ ...body, time: new Date().toISOString(), run: id })
  }
  const [{ run }, { connecting }] = await Promise.all([import('../run/run.ts'), import('./connecting.ts')])
  const { signal, release } = interruptible(warn)
  try {
    const { exit } = await run(opened.project, {
      mode,
      run: id,
      wantsDiff: flags.diff === true,
      forks: flags.forks,
      become: { wanted: flags.become, user: flags.becomeUser, method: flags.becomeMethod },
      connect: connecting(opened, flags, means.password, warn),
      signal,
      emit: report,
      redactor: means.redactor,
    })
    return exit
  } finally {
    await Promise.all(means.reporters.map(reporter => reporter.end()))
    release()
  }
}

/** Returns an identifier that sorts by time and is unique enough for the controllers of one project. */
function runId(now: Date): string {
  const [date = '', time = ''] = now.toISOString().replaceAll('-', '').replaceAll(':', '').split('T')
  return `${date}-${time.slice(0, 6)}-${randomBytes(2).toString('hex')}`
}
