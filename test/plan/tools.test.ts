import { describe, expect, test } from 'vitest'
import { modules } from '../../src/modules/registry.gen.ts'
import { neededTools, someoneBecomes, TOOLS } from '../../src/plan/tools.ts'
import { fakeProject } from '../support/fake-run.ts'

const step = (module: string, keywords: Readonly<Record<string, boolean>> = {}) => ({
  kind: 'task' as const,
  module: { name: module },
  settings: {
    keywords: new Map(Object.entries(keywords).map(([name, value]) => [name, { kind: 'scalar', value }])),
  },
})

/** A project of the fake's shape with tasks of real modules. */
function projectOf(...steps: readonly ReturnType<typeof step>[]) {
  const { project } = fakeProject('- hosts: all\n  tasks:\n    - say: {msg: x}\n', ['a', 'b'])
  const plays = project.plays.map(play => ({
    ...play,
    hosts: ['a'],
    sections: [{ name: 'tasks', items: steps }],
  }))
  return { ...project, plays } as unknown as typeof project
}

describe('plan/tools', () => {
  test('only modules that there are need tools', () => {
    expect(Object.keys(TOOLS).filter(name => !modules.has(name))).toEqual([])
  })

  test('a tool is named once, with all modules that need it', () => {
    const project = projectOf(step('docker_image'), step('docker_volume'), step('uri'), step('copy'))

    expect(neededTools(project, 'a')).toEqual([
      { names: ['docker'], modules: ['docker_image', 'docker_volume'] },
      { names: ['curl', 'wget'], modules: ['uri'] },
    ])
    expect(neededTools(project, 'b')).toEqual([])
  })

  test('whether a task becomes somebody is known where it says so', () => {
    expect(
      someoneBecomes(projectOf(step('copy', { become: false }), step('copy', { become: true })), 'a'),
    ).toBe(true)
    expect(someoneBecomes(projectOf(step('copy')), 'a')).toBe(false)
  })
})
