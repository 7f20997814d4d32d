import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { schemaOf } from '../../scripts/gen/module-schema.ts'
import { generatedFiles, moduleNames, staleFiles } from '../../scripts/gen.ts'
import type { AnyModule } from '../../src/modules/module.ts'
import { modules } from '../../src/modules/registry.gen.ts'
import type { Probes } from '../../src/probes/probe.ts'
import { casesIn, localFile, placeOf, readCase } from '../support/cases.ts'

const cases = casesIn(import.meta.dirname).map(file => ({ group: file.group, written: readCase(file) }))
const all = [...modules].filter(([name, module]) => name === module.name)

/** Programs that write, at the start of a command. A probe's script holds none of them. */
const WRITING =
  /(^|[;|&(]|\b(?:do|then|else|exec)\b)\s*(rm|mv|cp|ln|mkdir|rmdir|touch|tee|chmod|chown|chgrp|dd|install|truncate|mktemp|sed -i|apt-get (?!-s)|systemctl (?!show|is-|list-|cat)|useradd|usermod|userdel|groupadd|groupmod|groupdel|mount|umount|kill|reboot)\b/m
const REDIRECT = />>?\s*(?!\s*(\/dev\/null|&[0-9-]))/

describe('modules/contract', () => {
  test('every file of the room is in the registry, under its own name', () => {
    expect(all.map(([name]) => name)).toEqual(moduleNames())
  })

  test('generated files are fresh', async () => {
    expect(staleFiles(await generatedFiles()), 'run `npm run gen`').toEqual([])
  }, 60_000)

  test.each(all)('%s: every parameter is described', (_, module) => {
    const properties = Object.entries((schemaOf(module)['properties'] ?? {}) as Record<string, object>)

    expect(properties.filter(([, property]) => !('description' in property)).map(([name]) => name)).toEqual(
      [],
    )
    const isOpen = properties.length === 0 || module.name === 'add_host'
    expect(schemaOf(module)['additionalProperties']).toEqual(isOpen ? expect.anything() : false)
  })

  test.each(all)('%s: examples are whole tasks with good parameters', (name, module) => {
    for (const example of module.examples) {
      for (const task of parse(example) as Record<string, unknown>[]) {
        const used = [name, ...(module.aliases ?? [])].find(key => key in task)
        expect(used, example).toBeDefined()
        const params = exampleParams(module, task[used ?? name])
        const open = templatesIn(task[used ?? name])
        const issues = module.params.safeParse(params).error?.issues ?? []
        expect(
          issues.filter(({ path }) => !open.includes(String(path[0]))),
          example,
        ).toEqual([])
      }
    }
    expect(module.examples.length).toBeGreaterThan(0)
  })

  test.each(all)('%s: has cases for what is right, what differs and what is refused', (name, module) => {
    const own = cases.filter(({ group }) => group === name).map(({ written }) => written)
    const lengths = own.map(written => (written['changes'] as unknown[] | undefined)?.length)

    expect(
      own.some(written => 'refuses' in written),
      'a refusal',
    ).toBe(true)
    if (module.reads || module.controller) return
    const neverRight = own.some(written => written['checkable'] === false)
    expect(neverRight || lengths.includes(0), 'already right').toBe(true)
    expect(
      lengths.some(length => length !== undefined && length > 0),
      'differs',
    ).toBe(true)
  })

  test.each(all)('%s: its questions write nothing', (name, module) => {
    for (const { written } of cases.filter(({ group }) => group === name)) {
      const params = module.params.safeParse(written['params'] ?? {})
      if (!params.success) continue
      const probes = module.probe(params.data, {
        name: 'server',
        user: 'root',
        uid: 0,
        wantsDiff: true,
      }) as Probes
      for (const { family, arg } of Object.values(probes)) {
        const script = unquoted(family.script([arg]).text)
        expect(script).not.toMatch(WRITING)
        expect(script).not.toMatch(REDIRECT)
      }
    }
  })
})

/**
 * Returns the example's parameters as the runner would hand them over: what names something on the controller is replaced
 * by it; what is only a template until then is left out.
 */
function exampleParams(module: AnyModule, args: unknown): unknown {
  if (args === null) return {}
  const written: Record<string, unknown> =
    typeof args === 'object' && !Array.isArray(args) ? { ...args } : { [module.freeForm ?? 'name']: args }
  const params = Object.fromEntries(
    Object.entries(written).filter(([, value]) => !(typeof value === 'string' && value.includes('{{'))),
  )
  for (const [name, input] of Object.entries(module.inputs ?? {})) {
    if (!(name in params)) continue
    if (input === 'tree' && String(params[name]).endsWith('/'))
      params[name] = { path: '/pages/', entries: [] }
    else if (input === 'file' || input === 'tree') params[name] = localFile('text\n')
    if (input === 'template') params[name] = 'text\n'
    if (input === 'vars') params[name] = { path: 'vars/a.yml', files: [], names: [], maps: [] }
    if (input === 'place') params[name] = placeOf(String(params[name]))
    if (input === 'condition') params[name] = verdicts(params[name])
  }
  return params
}

/** Names of parameters that hold a template; what they will be is not known here. */
function templatesIn(args: unknown): readonly string[] {
  if (args === null || typeof args !== 'object') return []
  return Object.entries(args).flatMap(([name, value]) =>
    typeof value === 'string' && value.includes('{{') ? [name] : [],
  )
}

function verdicts(written: unknown): unknown {
  return Array.isArray(written) ? written.map(verdicts) : { text: String(written), holds: true }
}

/** Drops quoted words, which are data. */
function unquoted(script: string): string {
  return script.replaceAll(/'[^']*'/g, "''")
}
