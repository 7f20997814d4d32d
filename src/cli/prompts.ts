import { createInterface } from 'node:readline'
import { UsageError } from '../base/error.ts'
import { Secret, type Redactor } from '../base/secret.ts'
import { promptsOf, withAnswers } from '../plan/answers.ts'
import type { Project } from '../plan/step.ts'
import type { Prompt } from '../playbook/model.ts'
import { printable } from '../report/printable.ts'
import { get } from '../syntax/node.ts'
import { Interrupted } from './interrupt.ts'
import { askSecret, openTerminal } from './password.ts'

/** Whom to ask, and what was said beforehand. */
export interface Asked {
  /** Take defaults for the answer. */
  readonly yes?: true
}

/**
 * Returns the project with the answers to its `vars_prompt`: from `-e`, from `MSINGI_VAR_NAME`, or from whoever sits at the
 * terminal. Private ones are added to what is masked.
 *
 * @throws UsageError NO_ANSWER where there is nobody to ask.
 */
export async function askPrompts(
  project: Project,
  flags: Asked,
  env: NodeJS.ProcessEnv,
  redactor: Redactor,
): Promise<Project> {
  const prompts = promptsOf(project)
  if (prompts.length === 0) return project
  const answers = new Map<Prompt, string>()
  for (const prompt of prompts) {
    const extra = project.extra && get(project.extra.vars, prompt.name.text)
    if (extra !== undefined) {
      if (prompt.isPrivate && extra.kind === 'scalar') redactor.add(new Secret(extra.text))
      continue
    }
    const answer = given(prompt, flags, env) ?? (await ask(prompt))
    if (prompt.isPrivate) redactor.add(new Secret(answer))
    answers.set(prompt, answer)
  }
  return withAnswers(project, answers)
}

function given(prompt: Prompt, flags: Asked, env: NodeJS.ProcessEnv): string | undefined {
  return env[nameInEnvironment(prompt)] ?? (flags.yes ? prompt.initial : undefined)
}

function nameInEnvironment({ name }: Prompt): string {
  return `MSINGI_VAR_${name.text.toUpperCase()}`
}

async function ask(prompt: Prompt): Promise<string> {
  for (;;) {
    const answer = (await askOnce(prompt, questionOf(prompt))) || prompt.initial
    if (answer === undefined || answer === '') {
      process.stderr.write('an answer is needed\n')
      continue
    }
    if (!prompt.isConfirmed || (await askOnce(prompt, 'again: ')) === answer) return answer
    process.stderr.write('the two answers differ\n')
  }
}

function questionOf({ question, initial, isPrivate }: Prompt): string {
  const shown = initial === undefined || isPrivate ? '' : ` [${initial}]`
  return `${printable(question).replace(/[:\s]+$/, '')}${printable(shown)}: `
}

async function askOnce(prompt: Prompt, question: string): Promise<string> {
  const { name } = prompt
  const nobody = new UsageError(
    'NO_ANSWER',
    `the play asks for \`${name.text}\` and there is no terminal to ask at`,
    `give \`-e ${name.text}=…\`, or set ${nameInEnvironment(prompt)}`,
  )
  if (prompt.isPrivate) return (await askSecret(question, nobody)).reveal()
  return askLine(question, nobody)
}

/** Asks at the terminal of the process, whatever stdin is. */
function askLine(question: string, nobody: UsageError): Promise<string> {
  const input = openTerminal(nobody)
  const asking = createInterface({ input, output: process.stderr, terminal: true })
  return new Promise<string>((resolve, reject) => {
    asking.on('SIGINT', () => reject(new Interrupted('interrupted at a question')))
    asking.on('close', () => reject(new Interrupted('no answer was given')))
    asking.question(question, resolve)
  }).finally(() => {
    asking.close()
    input.destroy()
  })
}
