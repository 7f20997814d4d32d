import { didYouMean } from '../base/nearest.ts'
import {
  condition,
  either,
  environment,
  flag,
  guard,
  identity,
  type JsonSchema,
  listOrTemplate,
  map,
  name,
  number,
  oneOf,
  percentage,
  serial,
  type Shape,
  shape,
  shown,
  text,
  variables,
  words,
} from './shape.ts'

/** Where a keyword may stand. */
export type Level = 'play' | 'import_playbook' | 'role' | 'block' | 'task' | 'handler' | 'include' | 'import'

type Table = Readonly<Record<string, Shape>>

const INHERITED: Table = {
  when: condition,
  tags: words,
  vars: variables,
  become: flag,
  become_user: text,
  become_method: oneOf('sudo', 'su', 'doas'),
  become_flags: text,
  become_exe: text,
  environment,
  module_defaults: map,
  connection: oneOf('ssh', 'local'),
  port: number,
  remote_user: text,
  check_mode: flag,
  diff: flag,
  no_log: flag,
  ignore_errors: flag,
  ignore_unreachable: flag,
  any_errors_fatal: flag,
  run_once: flag,
  throttle: number,
  timeout: number,
  answers: words,
}

/** Keys of an entry of `vars_prompt`. */
export const PROMPT_KEYS: Table = {
  name,
  prompt: text,
  default: either(text, flag),
  private: flag,
  confirm: flag,
  unsafe: flag,
}

const prompts = shape(
  {
    type: ['array', 'null'],
    items: {
      type: 'object',
      properties: schemasOf(PROMPT_KEYS),
      required: ['name'],
      additionalProperties: false,
    },
  },
  node => {
    const fits = node.kind === 'list' || (node.kind === 'scalar' && node.value === null)
    const hint = 'Begin each with `- name:`.'
    return fits
      ? undefined
      : { at: node.at, message: `${shown(node)}, expected a list of variables to ask for`, hint }
  },
)

const PLAY: Table = {
  ...INHERITED,
  serial,
  max_fail_percentage: percentage,
  strategy: oneOf('linear', 'free', 'host_pinned'),
  order: oneOf('inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'),
  force_handlers: flag,
  gather_facts: either(flag, oneOf('auto')),
  gather_subset: words,
  gather_timeout: number,
  fact_path: text,
  vars_prompt: prompts,
}

const BLOCK: Table = { ...INHERITED, delegate_to: text, notify: words, guard }

const TASK: Table = {
  ...BLOCK,
  id: identity,
  loop: listOrTemplate,
  loop_control: map,
  register: name,
  failed_when: condition,
  changed_when: condition,
  until: condition,
  retries: number,
  delay: number,
  backoff: number,
  async: number,
  poll: number,
}

const TABLES: Readonly<Record<Level, Table>> = {
  play: PLAY,
  import_playbook: { when: condition, tags: words, vars: variables },
  role: { ...INHERITED, delegate_to: text },
  block: BLOCK,
  task: TASK,
  handler: TASK,
  include: { ...BLOCK, loop: listOrTemplate, loop_control: map },
  import: BLOCK,
}

/** Keys with a meaning of their own at a level; they never stand among `Keywords`. */
const OWN: Readonly<Record<Level, readonly string[]>> = {
  play: ['name', 'hosts', 'vars_files', 'roles', 'pre_tasks', 'tasks', 'post_tasks', 'handlers', 'gate'],
  import_playbook: ['name', 'import_playbook'],
  role: ['role', 'name', 'tasks_from'],
  block: ['name', 'block', 'rescue', 'always'],
  task: ['name', 'args'],
  handler: ['name', 'args', 'listen'],
  include: ['name', 'args'],
  import: ['name', 'args'],
}

/** What to write instead of Ansible's words that have no place here. */
const INSTEAD: Readonly<Record<string, string>> = {
  action: "Write the module's name as the key.",
  local_action: "Write the module's name as the key, and add `delegate_to: localhost`.",
  with_items: 'Use `loop:` with the same list.',
  with_list: 'Use `loop:` with the same list.',
  with_dict: 'Use `loop:` over a list of maps.',
  with_together: 'Use `loop:` over a list of maps.',
  with_nested: 'Use `loop:` over the list of pairs.',
  with_subelements: 'Use `loop:` over a list of maps.',
  with_sequence: 'Use `loop:` with the numbers written out.',
  with_fileglob: 'Use `loop:` with the files written out.',
  with_first_found: 'Name the file; choose it by a variable where it differs.',
  collections: 'Remove it; module names need no search list.',
  debugger: 'Remove it; use `msingi explain` to look at a task.',
  delegate_facts: 'Remove it; facts belong to the host they were asked of.',
  apply: 'Write the keywords on the include itself; they reach the tasks in it.',
  public: "Remove it; a role's variables stay in the role.",
  rolespec_validate: "Remove it; a role's parameters are always checked.",
  allow_duplicates: 'Remove it; a role may be called as often as it is wanted.',
  vars_from: 'Pass the values as parameters of the role.',
  defaults_from: 'Pass the values as parameters of the role.',
  handlers_from: "Write the handlers in the role's `handlers.yml`.",
  static: 'Use `import_tasks` or `include_tasks`.',
  sudo: 'Use `become: true`.',
  sudo_user: 'Use `become_user`.',
  su: 'Use `become: true` with `become_method: su`.',
  su_user: 'Use `become_user`.',
  always_run: 'Use `check_mode: false`.',
  pause: 'Remove it; add a task with `pause` or `wait_for` where one must wait.',
  extended: 'Use `index_var`.',
  extended_allitems: 'Use `index_var`.',
  encrypt: 'Hash the answer where it is used, with `password_hash`.',
  salt: 'Hash the answer where it is used, with `password_hash`.',
  salt_size: 'Hash the answer where it is used, with `password_hash`.',
  live: 'Remove it; output is shown as it comes.',
  loop_with: 'Use `loop:`.',
  when_not: 'Use `when:` with `!( … )`.',
}

/** Returns how the keyword's value must look at this level, or undefined where it may not stand there. */
export function shapeOf(level: Level, word: string): Shape | undefined {
  return Object.hasOwn(TABLES[level], word) ? TABLES[level][word] : undefined
}

/** Returns the schemas of the keywords that may stand at the level, by keyword; those with a meaning of their own aside. */
export function keywordSchemas(level: Level): Readonly<Record<string, JsonSchema>> {
  return schemasOf(TABLES[level])
}

function schemasOf(table: Table): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(table).map(([word, { schema }]) => [word, schema]))
}

/** Returns every key that may stand at the level, modules aside. */
export function keywordsOf(level: Level): string[] {
  return [...OWN[level], ...Object.keys(TABLES[level])]
}

/** Returns what to write instead of a word that is no keyword at the level. */
export function insteadOf(word: string, level: Level, others: Iterable<string> = []): string | undefined {
  if (Object.hasOwn(INSTEAD, word)) return INSTEAD[word]
  if (level === 'import' && word.startsWith('loop'))
    return 'Use the `include_` of the same name, which can be looped.'
  if (word.startsWith('with_')) return 'Use `loop:`.'
  const near = didYouMean(word, [...keywordsOf(level), ...others])
  const home = LEVELS.find(([, other]) => keywordsOf(other).includes(word))
  return home === undefined ? near : `Move it to ${home[0]}.`
}

const LEVELS: readonly (readonly [where: string, level: Level])[] = [
  ['the play', 'play'],
  ['a block', 'block'],
  ['a task', 'task'],
  ['a handler', 'handler'],
]
