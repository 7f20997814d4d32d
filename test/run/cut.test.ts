import { describe, expect, test } from 'vitest'
import { fakeRun } from '../support/fake-run.ts'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'

const TASKS = 12

/** Questions, changes that can be asked for and commands that cannot, with handlers. */
const TEXT = `- hosts: all
  tasks:
${Array.from({ length: TASKS }, (_, index) => `    - {name: t${index}, put: {key: k${index}, value: v}, notify: told}\n`).join('')}    - {name: blunt, blunt: {key: b, value: v}}
    - {name: command, act: x, notify: other}
  handlers:
    - {name: told, act: y}
    - {name: other, act: z}
`

const run = (host: FakeHost): ReturnType<typeof fakeRun> =>
  fakeRun(TEXT, { h: host }, 'apply', { remembers: true })

/** How often each command was carried out. */
const times = (host: FakeHost): readonly number[] =>
  ['x', 'y', 'z'].map(word => host.frames.flat().filter(text => text.includes(`true ${word}`)).length)

const sound = fakeHost()
const whole = await run(sound)
const frames = sound.sent

describe('a link that is cut', () => {
  test.each(Array.from({ length: frames }, (_, index) => index))(
    'at frame %i, before it arrives or before it is answered, changes nothing of what is done and told',
    async index => {
      for (const when of ['before', 'after'] as const) {
        const host = fakeHost()
        host.cuts.set(index, when)

        const ran = await run(host)

        expect(ran.exit).toBe(0)
        expect(ran.tasks).toEqual(whole.tasks)
        expect(ran.counts).toEqual(whole.counts)
        expect(host.keys).toEqual(sound.keys)
        expect(times(host)).toEqual([1, 1, 1])
        const told = ran.events.map(({ type }) => type).filter(type => type.startsWith('host_'))
        // Nobody comes back to tidy up.
        expect(told.includes('host_reconnected')).toBe(index < frames - 1)
      }
    },
    30_000,
  )

  test('costs no frame where it is not cut', () => {
    // One for each change, the questions before the first, and one to tidy up.
    expect(frames).toBeLessThanOrEqual(TASKS + 4 + 2)
  })
})

test('a host that was started anew meanwhile is said to be, and the run goes on', async () => {
  const host = fakeHost()
  host.cuts.set(2, 'restart')

  const ran = await run(host)

  expect(ran.exit).toBe(0)
  expect(ran.events.filter(event => event.type === 'host_reconnected')).toMatchObject([{ restarted: true }])
})
