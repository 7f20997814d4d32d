import { GROUP_KEYS } from '../../src/inventory/read.ts'
import { REACH_SCHEMAS } from '../../src/inventory/reach.ts'
import type { AnyModule } from '../../src/modules/module.ts'
import { META_ACTIONS } from '../../src/plan/expand.ts'
import { KEYWORD_DOCS } from '../../src/playbook/keyword-docs.ts'
import { keywordSchemas, type Level } from '../../src/playbook/keywords.ts'
import { type JsonSchema, shapeOfHosts, text, variables, words } from '../../src/playbook/shape.ts'
import { PARAM_KEYS, SIGNATURE_KEYS } from '../../src/playbook/signature.ts'
import { LOOP_CONTROL, PREFIX_PATTERN } from '../../src/playbook/task.ts'
import { schemaOf, TEMPLATE } from './module-schema.ts'

/** Drafts after this one are unknown to many editors. */
const DRAFT = 'http://json-schema.org/draft-07/schema#'

const MAYBE_PREFIX = `(?:${PREFIX_PATTERN})?`

/** Returns the JSON Schemas of all that people write, by the name of their file. */
export function schemaFiles(modules: readonly AnyModule[]): Readonly<Record<string, JsonSchema>> {
  return {
    'modules.json': modulesSchema(modules),
    'tasks.json': tasksSchema(modules),
    'handlers.json': handlersSchema(),
    'playbook.json': playbookSchema(),
    'role.json': roleSchema(),
    'inventory.json': inventorySchema(),
  }
}

function modulesSchema(modules: readonly AnyModule[]): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Parameters of the modules',
    definitions: Object.fromEntries(modules.map(module => [module.name, schemaOf(module)])),
  }
}

function tasksSchema(modules: readonly AnyModule[]): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Tasks',
    description: 'A file of tasks: `tasks.yml` of a role, or one that is included.',
    $ref: '#/definitions/tasks',
    definitions: {
      tasks: { type: ['array', 'null'], items: choose({ $ref: '#/definitions/task' }, true) },
      handlers: { type: ['array', 'null'], items: choose({ $ref: '#/definitions/handler' }, false) },
      task: taskSchema('task', modules),
      handler: taskSchema('handler', modules),
      block: blockSchema(),
      import: includeSchema('import'),
      include: includeSchema('include'),
      call: callSchema(modules),
    },
  }
}

/** A block, an import or an include where one of its keys is there; else the schema given. */
function choose(otherwise: JsonSchema, withBlocks: boolean): JsonSchema {
  const isBlock = { anyOf: ['block', 'rescue', 'always'].map(key => ({ required: [key] })) }
  const includes = {
    if: withKey(`${MAYBE_PREFIX}import_(?:tasks|role)`),
    then: { $ref: '#/definitions/import' },
    else: {
      if: withKey(`${MAYBE_PREFIX}include(?:_tasks|_role)?`),
      then: { $ref: '#/definitions/include' },
      else: otherwise,
    },
  }
  const found = withBlocks ? { if: isBlock, then: { $ref: '#/definitions/block' }, else: includes } : includes
  return { type: 'object', ...found }
}

/** Holds where some key matches; draft 7 has no other word for it. */
function withKey(pattern: string): JsonSchema {
  return { not: { propertyNames: { not: { pattern: `^${pattern}$` } } } }
}

function taskSchema(level: 'task' | 'handler', modules: readonly AnyModule[]): JsonSchema {
  const names = namesOf(modules)
  const own = {
    name: documented('name', text.schema),
    args: documented('args', { type: ['object', 'null'] }),
    ...(level === 'handler' ? { listen: documented('listen', words.schema) } : {}),
  }
  const keywords = { ...own, ...keywordsAt(level) }
  const calls = Object.fromEntries(names.map(([name]) => [name, {}]))
  return {
    type: 'object',
    properties: { ...keywords, ...calls },
    patternProperties: { [`^${PREFIX_PATTERN}(?:${names.map(([name]) => name).join('|')})$`]: {} },
    additionalProperties: false,
    allOf: [{ $ref: '#/definitions/call' }],
  }
}

type Named = readonly [name: string, module: AnyModule | undefined]

/** Names of modules, aliases included; `meta` is none but stands in the place of one. */
function namesOf(modules: readonly AnyModule[]): readonly Named[] {
  const named = modules.flatMap(module =>
    [module.name, ...(module.aliases ?? [])].map((name): Named => [name, module]),
  )
  return [...named, ['meta', undefined]]
}

/** Exactly one module, with a prefix or without; what `args` holds is not known to be missing. */
function callSchema(modules: readonly AnyModule[]): JsonSchema {
  const names = namesOf(modules)
  const needs = names.flatMap(([name, module]) => {
    const required = module && schemaOf(module)['required']
    return Array.isArray(required) && required.length > 0 ? [[name, { required }] as const] : []
  })
  return {
    type: 'object',
    oneOf: [
      ...names.map(([name]) => ({ required: [name] })),
      withKey(`${PREFIX_PATTERN}(?:${names.map(([name]) => name).join('|')})`),
    ],
    if: { not: { required: ['args'] } },
    then: { properties: Object.fromEntries(needs) },
    properties: Object.fromEntries(names.map(([name, module]) => [name, callOf(module)])),
    patternProperties: Object.fromEntries(
      names.map(([name]) => [
        `^${PREFIX_PATTERN}${name}$`,
        { $ref: `#/definitions/call/properties/${name}` },
      ]),
    ),
  }
}

/** Below a module's name: its parameters, the short form `name=value`, or the text that a bare text stands for. */
function callOf(module: AnyModule | undefined): JsonSchema {
  if (module === undefined) return { enum: [...META_ACTIONS] }
  const params = { $ref: `modules.json#/definitions/${module.name}` }
  const short = { type: 'string', pattern: String.raw`^\s*[A-Za-z_]\w*=` }
  const { freeForm } = module
  const free =
    freeForm === undefined
      ? []
      : [{ $ref: `modules.json#/definitions/${module.name}/properties/${freeForm}` }]
  return { description: module.summary, anyOf: [params, { type: 'null' }, short, ...free] }
}

function keywordsAt(level: Level): Record<string, JsonSchema> {
  const found = Object.entries(keywordSchemas(level)).map(([word, schema]) => [
    word,
    documented(word, schema),
  ])
  const keywords = Object.fromEntries(found) as Record<string, JsonSchema>
  if (keywords['loop_control'] !== undefined)
    keywords['loop_control'] = documented('loop_control', LOOP_CONTROL_SCHEMA)
  return keywords
}

const NAME = { type: 'string', pattern: String.raw`^[A-Za-z_]\w*$` }
const LOOP_CONTROL_SCHEMA: JsonSchema = {
  type: ['object', 'null'],
  properties: Object.fromEntries(
    LOOP_CONTROL.map(key => [key, key.endsWith('_var') ? NAME : { type: ['string', 'number', 'boolean'] }]),
  ),
  additionalProperties: false,
}

function documented(word: string, schema: JsonSchema): JsonSchema {
  const doc = KEYWORD_DOCS[word]
  if (doc === undefined) return schema
  return { description: doc.about, ...schema }
}

function blockSchema(): JsonSchema {
  const tasks = { $ref: '#/definitions/tasks' }
  return {
    type: 'object',
    properties: {
      name: documented('name', text.schema),
      block: tasks,
      rescue: tasks,
      always: tasks,
      ...keywordsAt('block'),
    },
    required: ['block'],
    additionalProperties: false,
  }
}

function includeSchema(level: 'include' | 'import'): JsonSchema {
  const file = targetSchema('file', { file: FILLED })
  const role = targetSchema('name', { name: FILLED, tasks_from: FILLED })
  const targets = { tasks: file, role, ...(level === 'include' ? { '': file } : {}) }
  const found = Object.entries(targets).map(
    ([what, schema]) => [what === '' ? level : `${level}_${what}`, schema] as const,
  )
  return {
    type: 'object',
    properties: {
      name: documented('name', text.schema),
      args: documented('args', { type: ['object', 'null'] }),
      ...keywordsAt(level),
      ...Object.fromEntries(found),
    },
    patternProperties: Object.fromEntries(
      found.map(([name, schema]) => [`^${PREFIX_PATTERN}${name}$`, schema]),
    ),
    additionalProperties: false,
  }
}

const FILLED: JsonSchema = { type: 'string', pattern: String.raw`\S` }

/** What is named may stand under `args` as well. */
function targetSchema(word: string, properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return {
    anyOf: [
      FILLED,
      { type: 'object', properties, required: [word], additionalProperties: false },
      { type: 'null' },
    ],
  }
}

function handlersSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Handlers',
    description: "A role's `handlers.yml`.",
    $ref: 'tasks.json#/definitions/handlers',
  }
}

function playbookSchema(): JsonSchema {
  const tasks = { $ref: 'tasks.json#/definitions/tasks' }
  const own = {
    name: text.schema,
    hosts: shapeOfHosts.schema,
    vars_files: { anyOf: [FILE, { type: ['array', 'null'], items: FILE }] },
    roles: { type: ['array', 'null'], items: { $ref: '#/definitions/role' } },
    pre_tasks: tasks,
    tasks,
    post_tasks: tasks,
    handlers: { $ref: 'tasks.json#/definitions/handlers' },
    gate: tasks,
  }
  return {
    $schema: DRAFT,
    title: 'Playbook',
    type: 'array',
    items: {
      type: 'object',
      if: withKey(`${MAYBE_PREFIX}import_playbook`),
      then: { $ref: '#/definitions/import_playbook' },
      else: { $ref: '#/definitions/play' },
    },
    definitions: {
      play: {
        type: 'object',
        properties: { ...own, ...keywordsAt('play') },
        required: ['hosts'],
        additionalProperties: false,
      },
      import_playbook: importPlaybookSchema(),
      role: roleUseSchema(),
    },
  }
}

const FILE: JsonSchema = { type: 'string', not: TEMPLATE }

function importPlaybookSchema(): JsonSchema {
  return {
    type: 'object',
    properties: { name: text.schema, import_playbook: FILE, ...keywordsAt('import_playbook') },
    patternProperties: { [`^${PREFIX_PATTERN}import_playbook$`]: FILE },
    additionalProperties: false,
  }
}

/** Keywords that keep their meaning whatever the parameters of the role are called; any other key may be a parameter. */
const SURE = ['when', 'tags', 'vars', 'become', 'become_user']

function roleUseSchema(): JsonSchema {
  const keywords = Object.entries(keywordsAt('role')).map(([word, schema]) => [
    word,
    SURE.includes(word) ? schema : documented(word, {}),
  ])
  const entry = {
    type: 'object',
    properties: { role: FILE, name: FILE, tasks_from: FILLED, ...Object.fromEntries(keywords) },
    anyOf: [{ required: ['role'] }, { required: ['name'] }],
  }
  return { anyOf: [FILE, entry] }
}

function roleSchema(): JsonSchema {
  const params = {
    type: ['object', 'null'],
    propertyNames: { pattern: NAME.pattern },
    additionalProperties: {
      type: 'object',
      properties: withoutTemplates(PARAM_KEYS),
      required: ['type'],
      additionalProperties: false,
    },
  }
  return {
    $schema: DRAFT,
    title: 'Signature of a role',
    description: "A role's `role.yml`: what it does and which parameters it takes.",
    type: 'object',
    properties: { ...withoutTemplates(SIGNATURE_KEYS), params },
    additionalProperties: false,
  }
}

function withoutTemplates(
  keys: Readonly<Record<string, { readonly schema: JsonSchema }>>,
): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(keys).map(([key, { schema }]) => [key, schema]))
}

function inventorySchema(): JsonSchema {
  const name = { type: ['string', 'number'] }
  const reach = {
    ssh: mapOf(REACH_SCHEMAS.ssh),
    connection: orTemplate(REACH_SCHEMAS.own['connection']),
    become: becomeSchema(),
  }
  return {
    $schema: DRAFT,
    title: 'Inventory',
    type: ['object', 'null'],
    propertyNames: { not: { enum: [...GROUP_KEYS, 'plugin'] }, pattern: String.raw`^[^\s,:&!*~?@[\]]+$` },
    additionalProperties: { $ref: '#/definitions/group' },
    definitions: {
      group: {
        type: ['object', 'null'],
        properties: {
          hosts: namesSchema({ $ref: '#/definitions/host' }, name),
          children: namesSchema({ $ref: '#/definitions/group' }, name),
          vars: { anyOf: [variables.schema], properties: templated(REACH_SCHEMAS.ansible) },
          ...reach,
        },
        additionalProperties: false,
      },
      host: { type: ['object', 'null'], properties: { ...reach, ...templated(REACH_SCHEMAS.ansible) } },
    },
  }
}

/** Names with what stands below each, a list of names, or one. */
function namesSchema(below: JsonSchema, name: JsonSchema): JsonSchema {
  return {
    anyOf: [{ type: ['object', 'null'], additionalProperties: below }, { type: 'array', items: name }, name],
  }
}

function becomeSchema(): JsonSchema {
  return { anyOf: [orTemplate(REACH_SCHEMAS.own['become']), mapOf(REACH_SCHEMAS.become)] }
}

function mapOf(settings: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties: templated(settings), additionalProperties: false }
}

function templated(settings: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(settings).map(([key, schema]) => [key, orTemplate(schema)]))
}

function orTemplate(schema: JsonSchema | undefined): JsonSchema {
  return { anyOf: [schema ?? {}, TEMPLATE] }
}
