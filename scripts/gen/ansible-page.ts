import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { META_ACTIONS } from '../../src/plan/expand.ts'
import { KEYWORD_DOCS } from '../../src/playbook/keyword-docs.ts'
import { insteadOf, keywordsOf, type Level } from '../../src/playbook/keywords.ts'
import { LOOP_CONTROL } from '../../src/playbook/task.ts'
import { LEVELS as VARIABLE_LEVELS } from '../../src/vars/scope.ts'
import { CONDITIONS, FACTS, type Pair, TEXTS } from './ansible-pairs.ts'
import words from './ansible-words.json' with { type: 'json' }

/** Returns `docs/ansible.md`: the text of `ansible-page.md` with its tables. */
export function ansiblePage(): string {
  const tables: Readonly<Record<string, string>> = {
    keywords: keywordTable(),
    loop_control: listTable(words.loop_control.words, inLoopControl),
    include_role: listTable(words.include_role.words, inIncludeRole),
    meta: listTable(words.meta.words, inMeta),
    texts: pairTable('Handlebars', TEXTS),
    conditions: pairTable('CEL', CONDITIONS),
    facts: table(
      ['in Ansible', 'here'],
      FACTS.map(([ansible, ours]) => [code(ansible), code(ours)]),
    ),
    levels: VARIABLE_LEVELS.map((level, index) => `${index + 1}. ${LEVEL_NOTES[level]}`).join('\n'),
  }
  const text = readFileSync(join(import.meta.dirname, 'ansible-page.md'), 'utf8')
  return text.replace(/<!-- (\w+) -->/g, (_, name: string) => tables[name] ?? missing(name))
}

const LEVEL_NOTES: Readonly<Record<(typeof VARIABLE_LEVELS)[number], string>> = {
  'role defaults': "defaults of a role's parameters",
  group: 'groups: parents before children, `group_vars/` included',
  host: 'hosts, `host_vars/` included',
  play: 'plays: `vars`, `vars_prompt`, `vars_files`, and the parameters given to a role',
  task: '`vars` of blocks, includes and tasks, the inner ones stronger',
  extra: '`-e` on the command line',
}

const LETTERS: readonly (readonly [Level, string])[] = [
  ['play', 'P'],
  ['role', 'R'],
  ['block', 'B'],
  ['task', 'T'],
  ['handler', 'H'],
  ['include', 'I'],
]

/** Every keyword of Ansible, and then those that are new. */
function keywordTable(): string {
  const theirs = [...new Set([...words.keywords.words, ...words.more.words])].sort()
  const ours = Object.keys(KEYWORD_DOCS)
    .filter(word => !theirs.includes(word))
    .sort()
  return table(
    ['keyword', 'where', 'what it is here'],
    [...theirs, ...ours].map(word => [code(word), whereOf(word), meaningOf(word)]),
  )
}

function whereOf(word: string): string {
  return LETTERS.filter(([level]) => keywordsOf(level).includes(word))
    .map(([, letter]) => letter)
    .join(' ')
}

function meaningOf(word: string): string {
  const doc = KEYWORD_DOCS[word]
  if (doc === undefined) return notHere(insteadOf(word, 'task'))
  return doc.unlike === undefined
    ? doc.about
    : `${doc.about} **Other than in Ansible:** ${doc.unlike}`.replace(
        '**Other than in Ansible:** New.',
        '**New.**',
      )
}

function notHere(instead: string | undefined): string {
  if (instead === undefined)
    throw new Error('a word of Ansible is neither here nor said what to write instead')
  return `Not here. ${instead}`
}

function inLoopControl(word: string): string {
  if (!LOOP_CONTROL.includes(word)) return notHere(insteadOf(word, 'task'))
  return LOOP_NOTES[word] ?? missing(word)
}

const LOOP_NOTES: Readonly<Record<string, string>> = {
  loop_var: 'Name of the variable in place of `item`.',
  index_var: 'Name of a variable that counts from 0.',
  label: 'What is shown of an item; without it the name of a map, never its content.',
}

function inIncludeRole(word: string): string {
  if (word === 'name') return 'Name of the role.'
  return KEYWORD_DOCS[word]?.about ?? notHere(insteadOf(word, 'include'))
}

function inMeta(word: string): string {
  const note = META_NOTES[word] ?? missing(word)
  return META_ACTIONS.has(word) ? note : `Not here. ${note}`
}

const META_NOTES: Readonly<Record<string, string>> = {
  flush_handlers: 'Runs the handlers that are due.',
  end_host: 'Ends the run for this host; it has not failed.',
  end_play: 'Ends the play for this host; it goes on with the next play.',
  reset_connection: 'The next task connects anew.',
  noop: 'Does nothing.',
  clear_facts: 'Facts are asked for anew after a restart of the host; remove it.',
  clear_host_errors: 'Use `rescue` or `ignore_errors` at the tasks that may fail.',
  refresh_inventory: 'Run a second command once the hosts are in the inventory.',
  end_batch: 'Use `end_play` with a condition.',
}

function listTable(list: readonly string[], meaning: (word: string) => string): string {
  return table(
    ['word', 'what it is here'],
    list.map(word => [code(word), meaning(word)]),
  )
}

function pairTable(language: string, pairs: readonly Pair[]): string {
  return table(
    ['Jinja', language],
    pairs.map(({ jinja, ours }) => [code(jinja), code(ours)]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function code(text: string): string {
  return `\`${text.replaceAll('|', String.raw`\|`)}\``
}

function missing(name: string): never {
  throw new Error(`docs/ansible.md: nothing is known about \`${name}\``)
}
