import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const USAGE = 'usage: npm run new module NAME (small letters, digits and _, such as `timezone`)'

/** Returns the files a new module begins with, by path from the root of the project; they pass every test. */
export function newModule(name: string): ReadonlyMap<string, string> {
  const cases = `test/modules/${name}`
  const cycle = `test/live/modules/${name}`
  return new Map([
    [`src/modules/${name}.ts`, moduleText(name)],
    [
      `${cases}/folder-is-right.yml`,
      'params: { path: /srv/example }\nstate: { folder: directory 0755 root:root }\n',
    ],
    [
      `${cases}/makes-a-missing-folder.yml`,
      "params: { path: /srv/example, mode: '0750' }\nstate: { folder: absent }\n",
    ],
    [`${cases}/refuses-a-relative-path.yml`, 'params: { path: srv/example }\n'],
    [
      `${cycle}/site.yml`,
      `- hosts: all\n  become: true\n  tasks:\n    - name: folder\n      ${name}: { path: /srv/${name} }\n`,
    ],
    [
      `${cycle}/cycle.yml`,
      `holds: test -d /srv/${name}\nbreaks:\n  - by: rmdir /srv/${name}\n    shows: 'folder: state /srv/${name}'\n`,
    ],
  ])
}

if (process.argv[1] === import.meta.filename) main(process.argv.slice(2))

function main([kind, name = '']: readonly string[]): void {
  const files = newModule(name)
  const taken = [...files.keys()].filter(path => existsSync(join(ROOT, path)))
  if (kind !== 'module' || !/^[a-z][a-z0-9_]*$/.test(name)) fail(USAGE)
  if (taken.length > 0) fail(`${taken.join(', ')} is there already`)
  for (const [path, text] of files) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
    console.log(`wrote ${path}`)
  }
  run('gen')
  // Only the new cases get expectations: those of other modules are nobody's to rewrite in passing.
  run('golden', '--', '-t', `${name}:`)
  console.log(
    `Now write ${[...files.keys()][0]} and its cases, then \`npm run golden\`, \`npm run gen\`, \`npm run check\`.`,
  )
}

function run(...command: readonly string[]): void {
  const { status } = spawnSync('npm', ['run', '--silent', ...command], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) fail(`\`npm run ${command[0]}\` failed`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(4)
}

/** It makes a folder: small enough to be thrown away, whole enough to show every part. */
function moduleText(name: string): string {
  return `import { z } from 'zod'
import { pathResources } from '../probes/resources.ts'
import { stat, visible } from '../probes/stat.ts'
import { newStat } from './_attributes.ts'
import { folderScript } from './_folders.ts'
import { ownership, path } from './_params.ts'
import { changes, defineModule } from './module.ts'

export const ${name} = defineModule({
  name: '${name}',
  summary: 'Says in one sentence what it makes sure of.',
  examples: ['- name: Make the folder\\n  ${name}:\\n    path: /srv/example\\n'],
  params: z.strictObject({
    path: path().describe('Absolute path of the folder.'),
    ...ownership,
  }),
  probe: ({ path }) => ({ folder: stat(path) }),
  diff: ({ path }, { folder }) =>
    changes(!visible(folder) && { kind: 'state', what: path, before: 'absent', after: 'directory' }),
  apply: (found, params) =>
    found.map(({ what }) => ({ do: 'run', script: folderScript(what, params), detached: false })),
  expect: (params, { folder }) => ({ folder: visible(folder) ?? newStat('directory', params) }),
  touches: (_, { path }) => pathResources(path),
})
`
}
