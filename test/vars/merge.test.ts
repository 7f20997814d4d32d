import { describe, expect, test } from 'vitest'
import { parseYaml } from '../../src/syntax/parse.ts'
import type { MapNode } from '../../src/syntax/node.ts'
import { Secret } from '../../src/base/secret.ts'
import { Scope, type Level } from '../../src/vars/scope.ts'

const layer = (level: Level, text: string) => ({
  level,
  origin: level,
  vars: parseYaml(text, 'vars.yml', () => undefined) as MapNode,
})

const LAYERS = [
  layer('role defaults', 'app: {port: 80, log: {level: info, file: a.log}, tags: [a]}\n'),
  layer('group', 'app: {log: {level: debug}}\n'),
  layer('host', 'app: {port: "{{ base }}", tags: [b]}\nbase: 8080\n'),
]

describe('vars/merge', () => {
  test('maps are put together where that is asked for, lists are not', () => {
    const scope = new Scope({
      layers: LAYERS,
      hostData: new Map(),
      localData: new Map(),
      merged: new Set(['app']),
    })

    expect(scope.value('app')).toEqual({ port: 8080, log: { level: 'debug', file: 'a.log' }, tags: ['b'] })
  })

  test('elsewhere the strongest level wins as a whole', () => {
    const scope = new Scope({ layers: LAYERS, hostData: new Map(), localData: new Map() })

    expect(scope.value('app')).toEqual({ port: 8080, tags: ['b'] })
  })

  test('a secret parameter is a secret wherever it was written', () => {
    const scope = new Scope({
      layers: [layer('group', 'token: hunter22\n')],
      hostData: new Map(),
      localData: new Map(),
      secret: new Set(['token']),
    })

    expect(scope.value('token')).toBeInstanceOf(Secret)
  })
})
