import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { modules } from '../../src/modules/registry.gen.ts'
import { REASONS } from '../../src/shell/write.ts'
import { CONNECT_NOTES, SOURCE_EXAMPLES, type SourceExample, USAGE_EXAMPLES } from './error-examples.ts'
import { RUN_EXAMPLES } from './run-examples.ts'
import { type TaskCode, taskCodes } from './task-errors.ts'

/** Returns `docs/errors.md`: every code, what it means, what to do, and an example that has it. */
export function errorsPage(root: string): string {
  const cases = refusingCases(root)
  const sections = [
    INTRODUCTION,
    '## In the project',
    'Found before the first connection, all at once; exit status 4. Some can only be found on a host, by the values of its variables: then the task fails with the same code.',
    ...Object.entries(SOURCE_EXAMPLES).map(sourceSection),
    '## On the command line',
    'Exit status 4; nothing was contacted.',
    ...Object.entries(USAGE_EXAMPLES).map(([code, { means, remedy, argv }]) =>
      section(code, [means, whatToDo(remedy), fenced('sh', `msingi ${argv.join(' ')}`)]),
    ),
    '## While connecting',
    'The host is left out and the others go on; exit status 3. In events the code is `CONNECT_` and the stage in capitals.',
    ...Object.entries(CONNECT_NOTES).map(([stage, { means, remedy }]) =>
      section(stage, [means, whatToDo(remedy)]),
    ),
    '## In a task',
    'The task fails on that host, and what depends on it does not happen; exit status 1. `…` stands for what differs.',
    ...allTaskCodes(root).map(code => taskSection(code, cases.get(code.code))),
    '## When a file cannot be written',
    ...Object.entries(REASONS).map(([code, { reason, hint }]) =>
      section(code, [`The file was not written: ${reason}.`, hint && whatToDo(sentence(hint))]),
    ),
  ]
  return sections.join('\n\n')
}

const INTRODUCTION = `# Errors

Every error has a code, in brackets behind the word \`error\`, and where a text is wrong its place: file, line and column. The line
below it, \`help\`, says what to write instead. This page has every code, with an example that a test runs wherever one can be had without a host of its own.

\`\`\`text
error[UNKNOWN_PARAM] \`file\` has no parameter \`stat\`
  --> site.yml:3:23
   |
 3 |     - file: { path: /srv, stat: directory }
   |                           ^^^^
   = help: did you mean \`state\`?
\`\`\``

function sourceSection([code, example]: readonly [string, SourceExample]): string {
  const { means, remedy, files, extraVars, checkRoles } = example
  const flags = [...(extraVars ?? []).map(value => `-e ${value}`), ...(checkRoles ? ['--check-roles'] : [])]
  const texts = Object.entries(files).map(([name, text]) => fenced('yaml', `# ${name}\n${text.trimEnd()}`))
  const run = flags.length > 0 && fenced('sh', `msingi lint site.yml ${flags.join(' ')}`)
  return section(code, [means, whatToDo(remedy), ...texts, run])
}

/** Those of the source, and those that only have a note. */
function allTaskCodes(root: string): readonly TaskCode[] {
  const found = taskCodes(root)
  const noted = Object.keys(RUN_EXAMPLES).filter(code => !found.some(other => other.code === code))
  const bare = noted.map(code => ({ code, raisedBy: [], says: [], helps: [] }))
  return [...found, ...bare].sort((a, b) => (a.code < b.code ? -1 : 1))
}

interface Case {
  readonly module: string
  readonly title: string
  readonly params: unknown
}

function taskSection({ code, raisedBy, says, helps }: TaskCode, found: Case | undefined): string {
  const note = RUN_EXAMPLES[code]
  const by = [...new Set(raisedBy.map(moduleOf))].filter(name => name !== undefined)
  return section(code, [
    note?.means ?? says.map(text => `> ${text}`).join('\n>\n'),
    by.length > 0 && `Raised by ${by.map(name => `[\`${name}\`](modules/${name}.md)`).join(', ')}.`,
    note ? whatToDo(note.remedy) : helps.length > 0 && whatToDo(helps.map(sentence).join(' ')),
    note?.tasks !== undefined && fenced('yaml', note.tasks),
    note?.tasks === undefined && found && `${sentence(found.title)}\n\n${fenced('yaml', taskText(found))}`,
  ])
}

function moduleOf(file: string): string | undefined {
  const name = basename(file, '.ts')
  return file.startsWith('src/modules/') && modules.get(name)?.name === name ? name : undefined
}

/** Cases of modules that end with a refusal, the first one of each code. */
function refusingCases(root: string): ReadonlyMap<string, Case> {
  const found = new Map<string, Case>()
  for (const file of globSync('test/modules/*/*.yml', { cwd: root }).sort()) {
    const text = readFileSync(join(root, file), 'utf8')
    const [, refuses] = /^refuses: ([A-Z_]+)$/m.exec(text) ?? []
    const [, , module = ''] = file.split('/')
    if (refuses === undefined || refuses === 'BAD_PARAM' || found.has(refuses)) continue
    const { params } = parse(text, { logLevel: 'error' }) as Readonly<Record<string, unknown>>
    found.set(refuses, { module, title: `it ${basename(file, '.yml').replaceAll('-', ' ')}`, params })
  }
  return found
}

function taskText({ module, params }: Case): string {
  return stringify([{ [module]: params ?? null }]).trimEnd()
}

function section(title: string, parts: readonly (string | false | undefined)[]): string {
  return [`### ${title}`, ...parts.filter(part => part)].join('\n\n')
}

function whatToDo(text: string): string {
  return `**What to do:** ${text}`
}

function sentence(text: string): string {
  const whole = /[.:]$/.test(text) ? text : `${text}.`
  return whole.charAt(0).toUpperCase() + whole.slice(1)
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``
}
