import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { FACT_DOCS } from '../../src/probes/fact-docs.ts'
import { FACTS } from '../../src/probes/facts.ts'
import { casesIn, readCase } from '../support/cases.ts'

const cases = casesIn(join(import.meta.dirname)).map(file => ({ ...file, written: readCase(file) }))

describe('probes/facts', () => {
  test('every fact is described', () => {
    expect(Object.keys(FACT_DOCS).sort()).toEqual(Object.keys(FACTS).sort())
  })

  test('every fact waits for 20 s at most, and depends on something', () => {
    for (const { family, arg } of Object.values(FACTS)) {
      expect(family.deadline).toBeLessThanOrEqual(20)
      expect(family.reads(arg).length).toBeGreaterThan(0)
    }
  })

  test.each(Object.entries(FACTS))('%s tells what its description says', (name, { family }) => {
    const values = cases.filter(({ group }) => group === family.name).map(({ written }) => written['value'])
    const told = values.flatMap(value => (value as unknown[] | undefined) ?? []).flat() as object[]

    expect(told.length).toBeGreaterThan(0)
    for (const value of told) expect(Object.keys(value)).toEqual(Object.keys(FACT_DOCS[name]?.fields ?? {}))
  })
})
