import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CONDITIONS, FACTS, TEXTS } from '../../scripts/gen/ansible-pairs.ts'
import words from '../../scripts/gen/ansible-words.json' with { type: 'json' }
import { NOT_CARRIED_OUT } from '../../src/plan/carried-out.ts'
import { KEYWORD_DOCS } from '../../src/playbook/keyword-docs.ts'
import { keywordsOf, type Level } from '../../src/playbook/keywords.ts'
import { LOOP_CONTROL } from '../../src/playbook/task.ts'
import { FACT_DOCS } from '../../src/probes/fact-docs.ts'
import { holds } from '../../src/vars/condition.ts'
import { render } from '../../src/vars/render.ts'
import { ROOT } from '../support/source-tree.ts'
import { scalar, scopeOf } from '../vars/support.ts'

const page = readFileSync(join(ROOT, 'docs/ansible.md'), 'utf8')
const LEVELS: readonly Level[] = [
  'play',
  'import_playbook',
  'role',
  'block',
  'task',
  'handler',
  'include',
  'import',
]

describe('docs/ansible.md', () => {
  test.each(Object.entries(words))('has every word of Ansible: %s', (_, list) => {
    expect(list.source).toMatch(/^https:/)
    expect(list.read).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(list.words.filter(word => !page.includes(`\n| \`${word}\``))).toEqual([])
  })

  test('every keyword has its meaning, and no other word has', () => {
    const all = new Set(LEVELS.flatMap(keywordsOf))

    expect([...all].filter(word => KEYWORD_DOCS[word] === undefined)).toEqual([])
    expect(Object.keys(KEYWORD_DOCS).filter(word => !all.has(word))).toEqual([])
  })

  test('what is refused is said to be refused', () => {
    const refused = Object.entries(KEYWORD_DOCS).filter(([, { about }]) => about.startsWith('Refused'))
    const expected = Object.keys(NOT_CARRIED_OUT).filter(
      word => !LOOP_CONTROL.includes(word) && word !== 'any_errors_fatal',
    )

    expect(refused.map(([word]) => word).sort()).toEqual(expected.sort())
  })

  test.each(TEXTS)('$jinja is written $ours', ({ ours, given, gives }) => {
    expect(render(scalar(JSON.stringify(ours)), scopeOf({ host: given }))).toEqual(gives)
  })

  test.each(CONDITIONS)('$jinja is asked as $ours', ({ ours, given, gives }) => {
    expect(holds(scalar(JSON.stringify(ours)), scopeOf({ host: given }))).toBe(gives)
  })

  test.each(FACTS)('%s is %s', (_, path) => {
    const [, fact = '', field] = path.split('.')

    expect(Object.keys(FACT_DOCS)).toContain(fact)
    if (field !== undefined) expect(Object.keys(FACT_DOCS[fact]?.fields ?? {})).toContain(field)
  })
})
