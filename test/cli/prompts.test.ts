import { describe, expect, test } from 'vitest'
import { Redactor, Secret } from '../../src/base/secret.ts'
import { askPrompts } from '../../src/cli/prompts.ts'
import type { Project } from '../../src/plan/step.ts'
import { fakeProject } from '../support/fake-run.ts'
import { Scope } from '../../src/vars/scope.ts'
import { leaves } from '../../src/plan/leaves.ts'

const PLAYBOOK = `- hosts: all
  vars: { word: play, other: '{{ word }}!' }
  vars_prompt:
    - { name: word, prompt: The word, default: calm, private: PRIVATE }
  tasks:
    - say: { msg: '{{ word }}' }
`

function projectWith(isPrivate: boolean): Project {
  return fakeProject(PLAYBOOK.replace('PRIVATE', String(isPrivate)), ['h']).project
}

/** The names as a task of the play sees them. */
function scopeOf({ plays: [play] }: Project): Scope {
  const [step] = leaves(play?.sections[1]?.items ?? [])
  return new Scope({
    layers: play?.vars ?? [],
    secret: step?.settings.secret,
    hostData: new Map(),
    localData: new Map(),
  })
}

describe('cli/prompts', () => {
  test('an answer from the environment wins over the variables of the play', async () => {
    const project = await askPrompts(projectWith(false), {}, { MSINGI_VAR_WORD: 'spring' }, new Redactor())

    expect(scopeOf(project).value('word')).toBe('spring')
  })

  test('an answer is never a template', async () => {
    const project = await askPrompts(
      projectWith(false),
      {},
      { MSINGI_VAR_WORD: '{{ other }}' },
      new Redactor(),
    )

    expect(scopeOf(project).value('word')).toBe('{{ other }}')
  })

  test('a private answer is a secret, and so is what is made of it', async () => {
    const redactor = new Redactor()
    const project = await askPrompts(projectWith(true), {}, { MSINGI_VAR_WORD: 'canary-word' }, redactor)
    const scope = scopeOf(project)

    expect(scope.value('word')).toBeInstanceOf(Secret)
    expect(scope.value('other')).toBeInstanceOf(Secret)
    expect(redactor.mask('the canary-word sings')).not.toContain('canary-word')
  })

  test('where nobody shall be asked the default is the answer', async () => {
    const project = await askPrompts(projectWith(false), { yes: true }, {}, new Redactor())

    expect(scopeOf(project).value('word')).toBe('calm')
  })

  test('a play without hosts asks nothing', async () => {
    const { project } = fakeProject(PLAYBOOK, [])

    expect(await askPrompts(project, {}, {}, new Redactor())).toBe(project)
  })
})
