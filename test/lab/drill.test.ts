import { describe, expect, test } from 'vitest'
import { defineScenario, playDrill, type DrillMeans } from '../../src/lab/drill.ts'
import { LabError } from '../../src/lab/error.ts'
import { lostDocuments } from '../../src/lab/workload.ts'
import type { LabHost, OpenLab } from '../../src/lab/state.ts'

const HOST: LabHost = {
  name: 'host1',
  address: '127.0.0.1',
  port: 22,
  user: 'ops',
  hostKey: 'ssh-ed25519 AAAA',
  published: {},
}
const LAB: OpenLab = {
  format: 1,
  name: 'clinic',
  kind: 'vm',
  os: 'debian-12',
  made: '2026-01-01T00:00:00Z',
  hosts: [HOST],
  folder: '/nowhere',
}
const MEANS: DrillMeans = {
  lab: LAB,
  host: HOST,
  cache: '/nowhere',
  signal: new AbortController().signal,
  say: () => undefined,
  login: () => Promise.reject(new Error('no host here')),
  apply: () => Promise.reject(new Error('no host here')),
}

function scenario(fails?: 'break' | 'observe') {
  const done: string[] = []
  const phase = (name: string): void => {
    done.push(name)
    if (name === fails) throw new Error(`${name} went wrong`)
  }
  return {
    done,
    drill: defineScenario({
      name: 'sample',
      summary: 'a sample',
      kinds: ['vm'],
      options: { size: { value: '3', meaning: 'how big' } },
      async prepare({ options, note }) {
        phase('prepare')
        note('size', options['size'] ?? '')
        return 20
      },
      async break(_stage, ready: number) {
        phase('break')
        return ready + 1
      },
      async observe({ note }, broken) {
        phase('observe')
        note('found', broken)
        return broken
      },
      judge: found => ({ passed: found === 21, reason: `found ${found}` }),
      async restore() {
        phase('restore')
      },
    }),
  }
}

describe('a drill', () => {
  test('plays its phases in order and writes down what they found', async () => {
    const { drill, done } = scenario()

    const record = await playDrill(drill, {}, MEANS)

    expect(done).toEqual(['prepare', 'break', 'observe', 'restore'])
    expect(record).toMatchObject({
      drill: 'sample',
      lab: 'clinic',
      host: 'host1',
      verdict: 'passed',
      reason: 'found 21',
    })
    expect(record.phases.map(({ phase }) => phase)).toEqual([
      'prepare',
      'break',
      'observe',
      'judge',
      'restore',
    ])
    expect(record.evidence).toMatchObject([
      { phase: 'prepare', what: 'size', value: '3' },
      { phase: 'observe', what: 'found', value: 21 },
    ])
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
  })

  test('that cannot be carried out is no verdict on the host, and still tidies up', async () => {
    const { drill, done } = scenario('break')

    const record = await playDrill(drill, {}, MEANS)

    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'break went wrong' })
    expect(record.phases[1]).toMatchObject({ phase: 'break', failure: 'break went wrong' })
    expect(done).toEqual(['prepare', 'break', 'restore'])
  })

  test('refuses options it does not have', async () => {
    await expect(playDrill(scenario().drill, { colour: 'red' }, MEANS)).rejects.toMatchObject({
      code: 'WRONG_STATE',
    })
  })

  test('refuses hosts of another kind', async () => {
    const containers: OpenLab = { ...LAB, kind: 'container' }

    const played = playDrill(scenario().drill, {}, { ...MEANS, lab: containers })

    await expect(played).rejects.toBeInstanceOf(LabError)
    await expect(played).rejects.toMatchObject({ code: 'WRONG_KIND' })
  })
})

describe('lost documents', () => {
  test.each([
    [5, '1-5\n', []],
    [5, '1-9\n', []],
    [5, '1-2\n4-4\n', [3, 5]],
    [2, '', [1, 2]],
    [0, '', []],
  ] as const)('of %i acknowledged with `%s` on the disk are %j', (acknowledged, ranges, lost) => {
    expect(lostDocuments(acknowledged, ranges)).toEqual(lost)
  })
})
