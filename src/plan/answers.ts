import type { Prompt } from '../playbook/model.ts'
import { textNode, type MapNode, type ScalarNode } from '../syntax/node.ts'
import type { Layer } from '../vars/scope.ts'
import type { PlannedPlay, Project } from './step.ts'

/** Returns what has to be asked before the project can be run: the prompts of plays that have hosts. */
export function promptsOf({ plays }: Project): readonly Prompt[] {
  return plays.filter(play => play.hosts.length > 0).flatMap(({ play }) => play.prompts)
}

/** Returns the project with the answers among the variables of its plays, above `vars` and below `vars_files`. */
export function withAnswers(project: Project, answers: ReadonlyMap<Prompt, string>): Project {
  return { ...project, plays: project.plays.map(play => playWith(play, answers)) }
}

function playWith(planned: PlannedPlay, answers: ReadonlyMap<Prompt, string>): PlannedPlay {
  const { play, vars } = planned
  const entries = play.prompts.flatMap(prompt => {
    const answer = answers.get(prompt)
    return answer === undefined ? [] : [{ key: prompt.name, value: answerNode(prompt, answer) }]
  })
  if (entries.length === 0) return planned
  const asked: MapNode = { kind: 'map', entries, at: play.at }
  const layer: Layer = { level: 'play', origin: 'vars_prompt', vars: asked }
  const above = vars.length - play.varsFiles.length
  return { ...planned, vars: [...vars.slice(0, above), layer, ...vars.slice(above)] }
}

/** What a person typed is never a template. */
function answerNode({ at }: Prompt, answer: string): ScalarNode {
  return { ...textNode(answer, at), tag: '!unsafe' }
}
