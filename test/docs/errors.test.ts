import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { SOURCE_EXAMPLES, type SourceExample, USAGE_EXAMPLES } from '../../scripts/gen/error-examples.ts'
import { RUN_EXAMPLES } from '../../scripts/gen/run-examples.ts'
import { taskCodes } from '../../scripts/gen/task-errors.ts'
import { ProjectError } from '../../src/cli/complain.ts'
import { withInventory } from '../../src/cli/inventory-lock.ts'
import { lint } from '../../src/cli/lint.ts'
import { REASONS } from '../../src/shell/write.ts'
import { many } from '../cli/support/in-one-process.ts'
import type { Outcome } from '../cli/support/many.ts'
import { ROOT } from '../support/source-tree.ts'

const HOSTS = 'all: { hosts: { server: } }\n'

function project(files: Readonly<Record<string, string>>, latin1: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
  for (const [name, text] of Object.entries({ 'hosts.yml': HOSTS, ...files })) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, latin1.includes(name) ? 'latin1' : 'utf8')
  }
  return folder
}

/** Returns the codes of everything that is wrong with the example. */
function codesOf({ files, latin1, extraVars = [], checkRoles }: SourceExample): readonly string[] {
  const folder = project(files, latin1)
  const flags = { inventory: [join(folder, 'hosts.yml')], extraVars, tags: [], skipTags: [] }
  try {
    lint([join(folder, 'site.yml')], checkRoles ? { ...flags, checkRoles } : flags)
  } catch (error) {
    if (error instanceof ProjectError) return error.problems.map(problem => problem.code)
    throw error
  }
  return []
}

describe('docs/errors.md', () => {
  test.each(Object.entries(SOURCE_EXAMPLES))(
    'the example of %s has that mistake and no other',
    (code, example) => {
      expect([...new Set(codesOf(example))]).toEqual([code])
    },
  )

  test('every code of the source that can fail a task has its entry', () => {
    const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
    const all = [...taskCodes(ROOT).map(({ code }) => code), ...Object.keys(REASONS)]

    expect(all.length).toBeGreaterThan(80)
    expect(all.filter(code => !page.includes(`\n### ${code}\n`))).toEqual([])
  })

  test('no task code says neither what happened nor has a note', () => {
    const silent = taskCodes(ROOT).filter(
      ({ code, says }) => says.length === 0 && RUN_EXAMPLES[code] === undefined,
    )

    expect(silent.map(({ code }) => code)).toEqual([])
  })

  describe('in a task', { timeout: 60_000 }, () => {
    const examples = Object.entries(RUN_EXAMPLES).flatMap(([code, { tasks }]) =>
      tasks === undefined ? [] : [{ code, tasks }],
    )
    let outcomes: readonly Outcome[]

    beforeAll(async () => {
      const play = (tasks: string): string =>
        `- hosts: localhost\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`
      const folder = project(
        Object.fromEntries(examples.map(({ code, tasks }) => [`${code}.yml`, play(tasks)])),
      )
      const lines = examples.map(({ code }) => ['apply', `${code}.yml`, '--output', 'json'])
      outcomes = await many(lines, folder)
    }, 60_000)

    test.each(examples.map(({ code }, index) => [code, index] as const))(
      'the example of %s fails so',
      (code, index) => {
        const { code: exit, stdout } = outcomes[index] ?? { code: -1, stdout: '' }
        const events = stdout
          .trim()
          .split('\n')
          .map(line => JSON.parse(line) as { failure?: { code: string } })

        expect(exit).toBe(1)
        expect(events.flatMap(({ failure }) => failure?.code ?? [])).toEqual([code])
      },
    )
  })

  describe('on the command line', { timeout: 60_000 }, () => {
    const examples = Object.entries(USAGE_EXAMPLES)
    let outcomes: readonly Outcome[]

    beforeAll(async () => {
      const folder = project({
        'busy.yml': HOSTS,
        'site.yml': '- hosts: all\n  tasks:\n    - ping:\n',
        'asking.yml': '- hosts: all\n  vars_prompt: [{ name: word }]\n  tasks:\n    - ping:\n',
      })
      const work = () =>
        many(
          examples.map(([, { argv }]) => argv),
          folder,
        )
      outcomes = await withInventory([join(folder, 'busy.yml')], 0, work, join(folder, '.msingi'))
    }, 60_000)

    test.each(examples.map(([code], index) => [code, index] as const))(
      'the example of %s ends so',
      (code, index) => {
        expect(outcomes[index]).toMatchObject({ code: 4, stdout: '' })
        expect(outcomes[index]?.stderr).toMatch(new RegExp(`^error\\[${code}\\]`))
      },
    )
  })
})
