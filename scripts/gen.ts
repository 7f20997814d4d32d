import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import type { AnyModule } from '../src/modules/module.ts'
import { FACT_DOCS } from '../src/probes/fact-docs.ts'
import { functionsPage } from '../src/vars/functions-page.ts'
import { ansiblePage } from './gen/ansible-page.ts'
import { errorsPage } from './gen/errors-page.ts'
import { paramsSchema } from './gen/module-schema.ts'
import { rolePages } from './gen/role-pages.ts'
import { schemaFiles } from './gen/schemas.ts'

const ROOT = join(import.meta.dirname, '..')
const MODULES = join(ROOT, 'src/modules')
/** Folders in which every file is generated; what has no source any more is removed. */
const OWNED = ['docs/modules', 'docs/roles']
const REGISTRY = 'src/modules/registry.gen.ts'
const NOT_MODULES = new Set(['module.ts', 'registry.gen.ts'])

if (process.argv[1] === import.meta.filename) await main()

async function main(): Promise<void> {
  const isCheck = process.argv.includes('--check')
  // Pages of roles are made by the modules that this process has loaded: with new ones it begins anew.
  if (!isCheck && (await renewRegistry())) {
    process.exitCode = spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1
    return
  }
  const files = await generatedFiles()
  const stale = staleFiles(files)
  if (isCheck) {
    for (const path of stale) console.error(`stale: ${path} (run \`npm run gen\`)`)
    process.exitCode = stale.length > 0 ? 1 : 0
    return
  }
  for (const path of stale) {
    const text = files.get(path)
    if (text === undefined) rmSync(join(ROOT, path))
    else write(join(ROOT, path), text)
    console.log(text === undefined ? `removed ${path}` : `wrote ${path}`)
  }
}

async function renewRegistry(): Promise<boolean> {
  const text = await pretty(REGISTRY, registry(await readModules()))
  if (readText(join(ROOT, REGISTRY)) === text) return false
  write(join(ROOT, REGISTRY), text)
  console.log(`wrote ${REGISTRY}`)
  return true
}

/** Returns every generated file's text by its path from the root of the project. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const modules = await readModules()
  const files = new Map<string, string>()
  files.set(REGISTRY, registry(modules))
  for (const [name, schema] of Object.entries(schemaFiles(modules)))
    files.set(`schema/${name}`, JSON.stringify(schema))
  files.set('docs/modules/README.md', index(modules))
  files.set('docs/facts.md', factsPage())
  files.set('docs/functions.md', `${writtenFrom('src/vars/builtins.ts')}\n\n${functionsPage()}`)
  for (const module of modules) files.set(`docs/modules/${module.name}.md`, page(module))
  files.set('docs/ansible.md', `${writtenFrom('scripts/gen/ansible-page.md')}\n\n${ansiblePage()}`)
  files.set('docs/errors.md', `${writtenFrom('scripts/gen/errors-page.ts')}\n\n${errorsPage(ROOT)}`)
  for (const [path, text] of rolePages(ROOT)) files.set(path, text)
  return new Map(
    await Promise.all([...files].map(async ([path, text]) => [path, await pretty(path, text)] as const)),
  )
}

async function pretty(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(join(ROOT, 'package.json'))), filepath: path })
}

/** Returns the paths of generated files that differ from what they should be, or should not be there. */
export function staleFiles(files: ReadonlyMap<string, string>): readonly string[] {
  const strays = OWNED.flatMap(folder => listFiles(join(ROOT, folder)))
    .map(path => relative(ROOT, path))
    .filter(path => !files.has(path))
  return [...files.keys()].filter(path => readText(join(ROOT, path)) !== files.get(path)).concat(strays)
}

/** Returns the names of the modules: each is a file, and its export has the file's name. */
export function moduleNames(): readonly string[] {
  return readdirSync(MODULES)
    .filter(file => file.endsWith('.ts') && !file.startsWith('_') && !NOT_MODULES.has(file))
    .map(file => file.slice(0, -3))
    .sort()
}

async function readModules(): Promise<readonly AnyModule[]> {
  return Promise.all(
    moduleNames().map(async name => {
      const exported = (await import(join(MODULES, `${name}.ts`))) as Record<string, AnyModule | undefined>
      const module = exported[exportName(name)]
      if (module?.name !== name) throw new Error(`src/modules/${name}.ts exports no module named \`${name}\``)
      return module
    }),
  )
}

/** A module named like a reserved word of JavaScript cannot be exported under its own name. */
function exportName(name: string): string {
  return `${name}${/^(debugger|import|package|switch|with)$/.test(name) ? 'Module' : ''}`
}

function registry(modules: readonly AnyModule[]): string {
  const imports = modules.map(({ name }) => `import { ${exportName(name)} } from './${name}.ts'`)
  return `// Written by \`npm run gen\` from the files of this folder.
${imports.join('\n')}
import type { AnyModule } from './module.ts'

const all: readonly AnyModule[] = [${modules.map(({ name }) => exportName(name)).join(', ')}]

/** Every module, by its name and by its aliases. */
export const modules: ReadonlyMap<string, AnyModule> = new Map(
  all.flatMap(module => [module.name, ...(module.aliases ?? [])].map(name => [name, module])),
)
`
}

function index(modules: readonly AnyModule[]): string {
  const rows = modules.map(({ name, summary }) => `| [\`${name}\`](${name}.md) | ${summary} |`)
  return `# Modules\n\n| module | what it does |\n| --- | --- |\n${rows.join('\n')}\n`
}

function page(module: AnyModule): string {
  const { aliases = [], deviations = [], examples, freeForm } = module
  return [
    writtenFrom(`src/modules/${module.name}.ts`),
    `# ${module.name}`,
    module.summary,
    aliases.length > 0 && `Also written ${aliases.map(name => `\`${name}\``).join(', ')}.`,
    freeForm !== undefined && `A bare text stands for \`${freeForm}\`.`,
    '## Parameters',
    parameterTable(module),
    '## Examples',
    ...examples.map(example => `\`\`\`yaml\n${example.trimEnd()}\n\`\`\``),
    deviations.length > 0 && `## Other than in Ansible\n\n${deviations.map(text => `- ${text}`).join('\n')}`,
  ]
    .filter(part => part !== false)
    .join('\n\n')
}

/** Says at the top of a page that it is not written by hand. */
function writtenFrom(source: string): string {
  return `<!-- Written by \`npm run gen\` from ${source}. -->`
}

function factsPage(): string {
  const facts = Object.entries(FACT_DOCS).map(([name, { summary, fields }]) => {
    const rows = Object.entries(fields).map(([field, meaning]) => `| \`${field}\` | ${cell(meaning)} |`)
    return `## facts.${name}\n\n${summary}\n\n| field | meaning |\n| --- | --- |\n${rows.join('\n')}`
  })
  return [
    writtenFrom('src/probes/fact-docs.ts'),
    '# Facts',
    'What a host can be asked, as `facts.…` in texts and conditions. Only what a project mentions is asked, with the first questions of the run.',
    ...facts,
  ].join('\n\n')
}

function parameterTable(module: AnyModule): string {
  const schema = paramsSchema(module)
  const required = new Set(schema.required)
  const defaults = defaultsOf(module.params)
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const { description, enum: choices } = property as Readonly<Record<string, unknown>>
    const value = defaults.get(name)
    const initial = required.has(name)
      ? '**required**'
      : value === undefined
        ? ''
        : `\`${JSON.stringify(value)}\``
    const words = Array.isArray(choices)
      ? ` One of ${choices.map(choice => `\`${choice}\``).join(', ')}.`
      : ''
    return `| \`${name}\` | ${initial} | ${cell(typeof description === 'string' ? description : '')}${words} |`
  })
  if (rows.length === 0) return 'None.'
  return ['| parameter | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** The JSON Schema of what is written does not tell defaults of what is meant, such as `false` for a word like `no`. */
function defaultsOf(params: z.ZodType): ReadonlyMap<string, unknown> {
  let object: unknown = params
  while (object instanceof z.ZodPipe) object = object.in
  if (!(object instanceof z.ZodObject)) return new Map()
  return new Map(Object.entries(object.shape).map(([name, field]) => [name, defaultOf(field)]))
}

function defaultOf(field: unknown): unknown {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) return field.def.defaultValue
  return field instanceof z.ZodOptional ? defaultOf(field.unwrap()) : undefined
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).map(entry => join(folder, entry.name))
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
