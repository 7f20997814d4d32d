import { showSpan } from '../base/span.ts'
import { leaves } from '../plan/leaves.ts'
import type { PlannedPlay, Project } from '../plan/step.ts'
import { printableLine } from '../report/printable.ts'

/** Returns the hosts of the project's plays, one a line, each once. */
export function hostLines({ plays }: Project): readonly string[] {
  return [...new Set(plays.flatMap(play => play.hosts))].map(printableLine)
}

/** Returns the tasks in the order in which they run, one a line: place, play, title, tags. */
export function taskLines({ plays }: Project): readonly string[] {
  return plays.flatMap(play => [
    ...play.sections.flatMap(section => [...leaves(section.items)].map(step => taskLine(play, step))),
    ...play.handlers.map(step => taskLine(play, step, 'handler')),
  ])
}

function taskLine(
  play: PlannedPlay,
  step: PlannedPlay['handlers'][number],
  ...notes: readonly string[]
): string {
  const { role, tags } = step.settings
  const title = role === undefined ? step.title : `${role} : ${step.title}`
  const marks = [...notes, ...[...tags].toSorted()]
  const cells = [showSpan(step.at), play.name, title, `[${step.module.name}]`, marks.join(',')]
  return cells.map(printableLine).join('\t').trimEnd()
}
