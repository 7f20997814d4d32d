import { describe, expect, test } from 'vitest'
import { arity, signature } from '../../src/vars/builtin.ts'
import { builtins, subjects } from '../../src/vars/builtins.ts'
import { evaluate } from '../../src/vars/condition.ts'
import { render } from '../../src/vars/render.ts'
import { scalar, scopeOf } from './support.ts'

describe.each([...builtins])('%s', (name, builtin) => {
  test('its examples give what they say', () => {
    expect(builtin.examples.length).toBeGreaterThan(0)
    for (const { template, cel, gives } of builtin.examples) {
      expect(render(scalar(JSON.stringify(template)), scopeOf()), template).toEqual(gives)
      if (cel !== undefined) expect(evaluate(scalar(JSON.stringify(cel)), scopeOf()), cel).toEqual(gives)
    }
  })

  test('it says what it does and what it takes', () => {
    const [least, most] = arity(builtin)
    expect(signature(name, builtin)).toMatch(/^\w+\(.+\)$/)
    expect(builtin.about).toMatch(/^[A-Z].*\.$/)
    expect(most).toBeGreaterThanOrEqual(least)
    expect(
      builtin.examples.some(example => example.cel !== undefined || builtin.open || builtin.celHasIt),
    ).toBe(true)
  })
})

test('no function stands in the table twice', () => {
  const names = Object.values(subjects).flatMap(part => Object.keys(part))
  expect(names).toEqual([...new Set(names)])
})
