import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TaskError } from '../../src/base/error.ts'
import type { Completed } from '../../src/base/result.ts'
import type { Family } from '../../src/probes/probe.ts'
import { casesIn, readCase, REWRITES, rewriteCase, type CaseFile } from '../support/cases.ts'
import { toPlain } from '../support/plain.ts'

const PROBES = join(import.meta.dirname, '../../src/probes')
const families = await everyFamily()
const files = casesIn(import.meta.dirname)

describe('probes/cases', () => {
  for (const file of files) {
    test(`${file.group}: ${file.name.replaceAll('-', ' ')}`, async () => {
      const found = read(file)
      if (REWRITES) await rewriteCase(file, { value: undefined, error: undefined, ...found })
      const wanted = readCase(file)

      expect(found).toEqual('error' in wanted ? { error: wanted['error'] } : { value: wanted['value'] })
    })
  }

  test('every family has a case', () => {
    const covered = new Set(files.map(file => file.group))

    expect([...families.keys()].filter(name => !covered.has(name))).toEqual([])
  })

  for (const [name, family] of families) {
    test(`${name}: any bytes are understood or refused as unreadable`, () => {
      const args = files.filter(file => file.group === name).map(file => readCase(file)['args'] as unknown[])
      fc.assert(
        fc.property(fc.constantFrom(...args), answers, (asked, answer) => {
          try {
            expect(family.parse(answer, asked)).toHaveLength(asked.length)
          } catch (error) {
            if (!(error instanceof TaskError)) throw error
            expect(error.code).toBe('PROBE_UNREADABLE')
          }
        }),
        { numRuns: 150 },
      )
    })
  }
})

/** Answers of every sort: noise, and words such as real answers are made of. */
const answers: fc.Arbitrary<Completed> = fc.record({
  code: fc.constantFrom(0, 1, 2, 126, 127, 137),
  out: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.constantFrom('0', '1', '-', '+', ' ', '\n', '\t', ':', 'root', '81a4', 'ok', '=', '\0'), {
        maxLength: 60,
      })
      .map(words => words.join('')),
  ),
  err: fc.string({ maxLength: 20 }),
  encoding: fc.constantFrom('utf8', 'latin1'),
  ms: fc.constant(1),
})

function read(file: CaseFile): { value: unknown } | { error: string } {
  const family = families.get(file.group)
  if (!family) throw new Error(`no file of src/probes exports a family named \`${file.group}\``)
  const { args, answer } = readCase(file) as { args: unknown[]; answer: Partial<Completed> }
  try {
    const complete: Completed = { code: 0, out: '', err: '', encoding: 'utf8', ms: 1, ...answer }
    return { value: toPlain(family.parse(complete, args)) }
  } catch (error) {
    if (error instanceof TaskError) return { error: error.code }
    throw error
  }
}

/** Finds the families by what the files of the room export. */
async function everyFamily(): Promise<ReadonlyMap<string, Family<unknown, unknown>>> {
  const found = new Map<string, Family<unknown, unknown>>()
  for (const file of readdirSync(PROBES).filter(name => name.endsWith('.ts'))) {
    const exported = (await import(join(PROBES, file))) as Record<string, unknown>
    for (const value of Object.values(exported)) if (isFamily(value)) found.set(value.name, value)
  }
  return found
}

function isFamily(value: unknown): value is Family<unknown, unknown> {
  return (
    typeof value === 'object' && value !== null && 'script' in value && 'parse' in value && 'reads' in value
  )
}
