import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT, sourceTree, type Import, type SourceFile } from './support/source-tree.ts'

interface Room {
  /** Rooms, or single files of a room, that it may import besides itself. */
  readonly imports: readonly string[]
  /** What to do instead of importing something else. */
  readonly instead: string
}

const ROOMS: Readonly<Record<string, Room>> = {
  base: {
    imports: [],
    instead: 'base holds the words every room speaks; put what needs more into the room that needs it',
  },
  shell: { imports: ['base'], instead: 'shell is pure text; pass values in as arguments' },
  syntax: {
    imports: ['base'],
    instead: 'syntax knows only YAML text; meaning belongs to playbook or inventory',
  },
  playbook: {
    imports: ['base', 'syntax'],
    instead: 'playbook is grammar without values; what needs variables belongs to plan or run',
  },
  inventory: {
    imports: ['base', 'syntax'],
    instead: 'inventory is hosts and groups; connecting is transport',
  },
  secrets: { imports: ['base'], instead: 'secrets only decrypts and redacts; callers bring the texts' },
  vars: {
    imports: ['base', 'syntax', 'secrets'],
    instead: 'vars takes layers as arguments; the caller turns hosts and roles into layers',
  },
  probes: {
    imports: ['base', 'shell'],
    instead: 'a probe is a question; what to do with the answer is a module',
  },
  modules: {
    imports: ['base', 'shell', 'probes'],
    instead: 'a module sees params and probes only; render, read and connect in run',
  },
  plan: {
    imports: [
      'base',
      'playbook',
      'inventory',
      'modules',
      'vars',
      'src/syntax/node.ts',
      'src/syntax/boolean.ts',
    ],
    instead: 'plan orders steps and checks texts; asking hosts is run',
  },
  transport: {
    imports: ['base', 'shell'],
    instead: 'transport moves frames; what they mean is decided in run',
  },
  run: {
    imports: [
      'base',
      'shell',
      'plan',
      'vars',
      'probes',
      'src/modules/module.ts',
      'src/transport/session.ts',
      'src/syntax/node.ts',
      'src/playbook/model.ts',
      'src/inventory/model.ts',
    ],
    instead: 'run gets sessions, modules and reporters as arguments from cli',
  },
  history: { imports: ['base'], instead: 'history keeps events; enrich the event instead' },
  report: { imports: ['base'], instead: 'a reporter sees events only; enrich the event instead' },
  lab: {
    imports: ['base', 'shell', 'transport'],
    instead: 'lab makes machines; the cli runs playbooks on them',
  },
  bundle: {
    imports: ['base', 'syntax', 'src/lab/program.ts', 'src/lab/error.ts'],
    instead: 'bundle collects files on the controller; a role brings them to hosts',
  },
  cli: { imports: ['*'], instead: '' },
}

/** Each package has one owner: a room, or one file of it. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  yaml: ['src/syntax/'],
  zod: ['src/playbook/', 'src/inventory/', 'src/modules/', 'src/bundle/'],
  'age-encryption': ['src/secrets/'],
  handlebars: ['src/vars/'],
  '@marcbachmann/cel-js': ['src/vars/'],
  ssh2: ['src/transport/'],
  zx: ['src/transport/'],
  listr2: ['src/report/tty.ts'],
  diff: ['src/report/'],
  commander: ['src/cli/'],
  'node:sqlite': ['src/history/'],
}

/** Rooms that may read or write files of the controller. */
const READS_FILES = [
  'syntax',
  'playbook',
  'inventory',
  'secrets',
  'vars',
  'plan',
  'transport',
  'history',
  'report',
  'lab',
  'bundle',
  'cli',
]
/** Files of other rooms that put on the controller's disk what a host or a web server gives. */
const KEEPS_FILES = ['src/run/keep.ts', 'src/run/download.ts']
/** Rooms that may ask what time it is. */
const READS_CLOCK = ['run', 'transport', 'report', 'history', 'lab', 'cli']

const FORBIDDEN_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'core', 'lib', 'manager', 'service']

const files = sourceTree('src')

describe('architecture', () => {
  test('every folder under src is a room with a rule', () => {
    expect([...new Set(files.map(roomOf))].filter(room => ROOMS[room] === undefined)).toEqual([])
  })

  test('rooms import only what the table allows', () => {
    expect(findings(crossesWall)).toEqual([])
  })

  test('no module imports another module', () => {
    const isModule = new Set(
      files.filter(file => file.text.includes('= defineModule(')).map(file => file.path),
    )

    const found = files
      .filter(file => isModule.has(file.path))
      .flatMap(file =>
        file.imports.filter(entry => isModule.has(entry.file ?? '')).map(entry => at(file, entry)),
      )

    expect(found).toEqual([])
  })

  test('every package is imported by its owner alone', () => {
    expect(findings(strayPackage)).toEqual([])
  })

  test('every runtime dependency has an owner', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }

    expect(Object.keys(dependencies).filter(name => PACKAGES[name] === undefined)).toEqual([])
  })

  test('only rooms that read files import node:fs', () => {
    expect(findings(strayFileAccess)).toEqual([])
  })

  test('the environment and the clock are read only where that is said', () => {
    expect(mentions(/\bprocess\.env\b/, ['cli', 'transport'])).toEqual([])
    expect(mentions(/\bDate\.now\(|\bnew Date\(\)/, READS_CLOCK)).toEqual([])
  })

  test('files import each other in no circle', () => {
    expect(circles()).toEqual([])
  })

  test('no file or folder has a name that says nothing', () => {
    const words = [...files, ...sourceTree('test'), ...sourceTree('scripts')].flatMap(file =>
      file.path.split('/').flatMap(part => part.replace(/\..*$/, '').split('-').slice(-1)),
    )

    expect(words.filter(word => FORBIDDEN_NAMES.includes(word) && word !== 'support')).toEqual([])
  })

  test('files stay within 400 lines, modules within 250', () => {
    const long = files.filter(file => {
      const isModule = roomOf(file) === 'modules' && !file.path.endsWith('.gen.ts')
      return file.text.split('\n').length - 1 > (isModule ? 250 : 400)
    })

    expect(long.map(file => file.path)).toEqual([])
  })
})

function crossesWall(file: SourceFile, entry: Import): string | undefined {
  if (entry.file === undefined) return undefined
  const room = roomOf(file)
  const rule = ROOMS[room]
  if (rule === undefined || rule.imports.includes('*')) return undefined
  if (!entry.file.startsWith('src/')) return 'src imports nothing outside src'
  const target = entry.file.split('/')[1] ?? ''
  const isAllowed = target === room || rule.imports.includes(target) || rule.imports.includes(entry.file)
  return isAllowed ? undefined : rule.instead
}

function strayPackage(file: SourceFile, entry: Import): string | undefined {
  if (entry.file !== undefined) return undefined
  if (entry.specifier.startsWith('node:') && PACKAGES[entry.specifier] === undefined) return undefined
  const name = packageName(entry.specifier)
  const owners = PACKAGES[name]
  if (owners === undefined) return `${name} is not a dependency with an owner`
  return owners.some(owner => file.path.startsWith(owner)) ? undefined : `only ${owners.join(', ')} may`
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function strayFileAccess(file: SourceFile, entry: Import): string | undefined {
  const isFs = entry.specifier === 'node:fs' || entry.specifier === 'node:fs/promises'
  if (!isFs || READS_FILES.includes(roomOf(file)) || KEEPS_FILES.includes(file.path)) return undefined
  return 'take the text or the bytes as an argument, or a reader that cli hands in'
}

function findings(rule: (file: SourceFile, entry: Import) => string | undefined): readonly string[] {
  return files.flatMap(file =>
    file.imports.flatMap(entry => {
      const instead = rule(file, entry)
      return instead === undefined ? [] : [`${at(file, entry)}: ${instead}`]
    }),
  )
}

function mentions(pattern: RegExp, allowed: readonly string[]): readonly string[] {
  return files
    .filter(file => !allowed.includes(roomOf(file)) && pattern.test(withoutComments(file.text)))
    .map(file => `${file.path} mentions ${pattern.source}`)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}

/** Returns one line per circle, each circle once. */
function circles(): readonly string[] {
  const imports = new Map(files.map(file => [file.path, file.imports.flatMap(entry => entry.file ?? [])]))
  const done = new Set<string>()
  const found: string[] = []
  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
  return found
}

function roomOf(file: SourceFile): string {
  return file.path.split('/')[1] ?? ''
}

function at(file: SourceFile, entry: Import): string {
  return `${file.path}:${entry.line} imports ${entry.specifier}`
}
