import { randomBytes } from 'node:crypto'
import type { Event } from '../base/event.ts'
import { Redactor } from '../base/secret.ts'
import { changeText, valueText } from '../report/change-text.ts'
import { paletteFor } from '../report/palette.ts'
import type { Palette } from '../report/palette.ts'
import { printable, printableLine } from '../report/printable.ts'
import { lostStory, taskStory, warningText } from '../report/story.ts'
import type { StoryOptions } from '../report/story.ts'
import { run } from '../run/run.ts'
import type { RunOptions } from '../run/run.ts'
import { connecting } from './connecting.ts'
import { EXIT } from './exit.ts'
import { interruptible } from './interrupt.ts'
import { lockWish } from './locking.ts'
import type { ExplainFlags } from './options.ts'
import { becomePassword } from './password.ts'
import { openProject } from './project.ts'
import { askPrompts } from './prompts.ts'

type Explained = Parameters<NonNullable<RunOptions['onExplained']>>[0]

/** Plans playbooks and tells for each task and host what is asked, answered, different, and what would be done. */
export async function explain(files: readonly string[], flags: ExplainFlags): Promise<number> {
  const opened = openProject(files, flags, process.env)
  const redactor = new Redactor()
  const password = await becomePassword(flags, process.env)
  if (password) redactor.add(password)
  const project = await askPrompts(opened.project, {}, process.env, redactor)
  const palette = paletteFor(process.stdout, process.env)
  const story: StoryOptions = { palette, verbosity: 1, diff: true }
  const { signal, release } = interruptible(say)
  try {
    const id = `explain-${randomBytes(4).toString('hex')}`
    const { exit } = await run(project, {
      mode: 'plan',
      run: id,
      lock: lockWish(id, {}, process.env),
      wantsDiff: true,
      forks: flags.forks,
      become: { wanted: flags.become, user: flags.becomeUser, method: flags.becomeMethod },
      connect: connecting(opened, flags, password, say),
      signal,
      redactor,
      onExplained: explained => {
        tell(taskText(redactor.maskDeep(explained), flags.scripts === true, palette))
      },
      emit: event => {
        tell(remainder(event, story))
      },
    })
    return exit === EXIT.different ? EXIT.done : exit
  } finally {
    release()
  }
}

/** What was not explained, because it never came to questions: skipped, unknown, failed, lost. */
function remainder(event: Event, story: StoryOptions): readonly string[] {
  if (event.type === 'warning') return warningText(event, story)
  if (event.type === 'host_done') return lostStory(event, story)?.lines(event.host) ?? []
  if (event.type !== 'task_done' && event.type !== 'handler_done') return []
  if (event.status === 'ok' || event.status === 'would_change') return []
  return taskStory(event, story)?.lines(event.host) ?? []
}

function taskText(explained: Explained, scripts: boolean, palette: Palette): readonly string[] {
  const { host, task, module, at, probes, changes, actions, guard } = explained
  const head = `${palette.strong(printableLine(`${host}: ${task}`))} ${palette.faint(printableLine(`[${module}] ${at}`))}`
  const asks = probes.flatMap(probe => [
    `  ${palette.note('asks')}     ${printableLine(probe.question)} → ${valueText(probe.answer)}`,
    ...(scripts ? indented(probe.script, palette) : []),
  ])
  const differs = changes.flatMap(change =>
    changeText(change, true, palette).map((line, index) =>
      index === 0 ? `  ${palette.changed('differs')}  ${line}` : `           ${line}`,
    ),
  )
  const does = actions.flatMap(action => {
    const [first = '', ...rest] = printable(action).trimEnd().split('\n')
    return [`  ${palette.bad('does')}     ${first}`, ...rest.map(line => `           ${line}`)]
  })
  const guards = guard === undefined ? [] : [`  ${palette.note('guards')}   ${guard}`]
  const right = changes.length === 0 ? [`  ${palette.good('right')}    nothing to do`] : []
  return [head, ...asks, ...differs, ...does, ...guards, ...right]
}

function indented(script: string, palette: Palette): readonly string[] {
  return printable(script)
    .trimEnd()
    .split('\n')
    .map(line => palette.faint(`           ${line}`))
}

function tell(lines: readonly string[]): void {
  process.stdout.write(lines.map(line => `${line}\n`).join(''))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
