import { describe, expect, test } from 'vitest'
import type { Mode } from '../../src/base/event.ts'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

/** Every frame as the words that say what it is for; what only tidies up is left out. */
function framesOf(host: FakeHost): readonly string[] {
  const frames = host.frames.map(parts => parts.filter(script => !script.startsWith('rm -rf -- /')))
  return frames
    .filter(parts => parts.length > 0)
    .map(parts =>
      parts
        .flatMap(script => {
          if (script.includes('.new-')) return 'arm'
          if (script.includes('line open')) return []
          if (script.includes('last-kept')) return 'keep'
          if (script.includes('/var/lib/msingi/guard'))
            return script.includes('the run asked') ? 'take back' : 'widen'
          return script.match(/\b(put|get|true|fail)\b/)?.[0] ?? 'other'
        })
        .join(' '),
    )
}

function playbook(tasks: string, handlers = ''): string {
  const list = (text: string): string => text.replaceAll(/^/gm, '    ')
  return `- hosts: all\n  become: true\n  tasks:\n${list(tasks)}${handlers === '' ? '' : `\n  handlers:\n${list(handlers)}`}\n`
}

const put = (key: string, value: string, more = ''): string =>
  `- name: ${key}\n  put: { key: ${key}, value: ${value} }${more === '' ? '' : `\n  ${more}`}`

describe('a guarded task', () => {
  test('that changes nothing costs no frame more', async () => {
    const [host, other] = [fakeHost({ a: 'x' }), fakeHost({ a: 'x' })]
    await fakeRun(playbook(put('a', 'x', 'guard: reconnect')), { host })
    await fakeRun(playbook(put('a', 'x')), { host: other })

    expect(framesOf(host)).toEqual(['get'])
    expect(host.frames).toEqual(other.frames)
    expect(host.connections).toBe(1)
  })

  test('is armed before it is done, and kept over a connection of its own', async () => {
    const host = fakeHost()
    const { tasks, exit } = await fakeRun(playbook(put('a', 'x', 'guard: reconnect')), { host })

    expect(framesOf(host)).toEqual(['get', 'arm', 'put get', 'keep'])
    expect(host.connections).toBe(2)
    expect(tasks).toEqual([['a', 'changed']])
    expect(exit).toBe(0)
  })

  test.each<Mode>(['plan', 'drift'])('arms nothing in a %s', async mode => {
    const host = fakeHost()
    const { tasks } = await fakeRun(playbook(put('a', 'x', 'guard: reconnect')), { host }, mode)

    expect(framesOf(host)).toEqual(['get'])
    expect(tasks).toEqual([['a', 'would_change']])
  })

  test('arms nothing where it is only checked', async () => {
    const host = fakeHost()
    await fakeRun(playbook(put('a', 'x', 'guard: reconnect\n  check_mode: true')), { host })
    expect(framesOf(host)).toEqual(['get'])
  })

  test('that locks people out is taken back, and fails', async () => {
    const host = fakeHost({ a: 'old' })
    const text = playbook(`${put('gate', 'shut', 'guard: reconnect')}\n${put('a', 'new')}`)
    const { events, tasks, exit } = await fakeRun(text, { host })

    expect(exit).toBe(1)
    expect(tasks).toEqual([['gate', 'failed']])
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'LOCKED_OUT', stdout: 'put back gate' },
    })
    expect(Object.fromEntries(host.keys)).toEqual({ a: 'old' })
  })

  test('is taken back by the host itself where no link is left', async () => {
    const host = fakeHost()
    const text = playbook(put('gate', 'cut', 'guard: reconnect'))
    const { events, exit } = await fakeRun(text, { host })

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'failed',
      failure: { code: 'LOCKED_OUT', stdout: 'put back gate' },
    })
    expect(host.keys.has('gate')).toBe(false)
  })

  test('is not done where the host cannot make ready to take it back', async () => {
    const host = { ...fakeHost(), isFull: true }
    const { events, exit } = await fakeRun(playbook(put('a', 'x', 'guard: reconnect')), { host })

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'GUARD_UNARMED' },
    })
    expect(host.keys.has('a')).toBe(false)
  })

  test('that fails itself is taken back without a trial', async () => {
    const host = fakeHost()
    host.stuck.add('a')
    const { events } = await fakeRun(playbook(put('a', 'x', 'guard: reconnect')), { host })

    expect(framesOf(host)).toEqual(['get', 'arm', 'put get', 'take back'])
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'NOT_CONVERGED' },
    })
  })

  test('that is said to have changed nothing is proved all the same', async () => {
    const host = fakeHost()
    const text = playbook("- name: a\n  act: '1'\n  guard: reconnect\n  changed_when: false")
    const { tasks } = await fakeRun(text, { host })

    expect(framesOf(host)).toEqual(['', 'arm', 'true', 'keep'])
    expect(tasks).toEqual([['a', 'ok']])
  })

  test('of another user is armed by root, and proved for both', async () => {
    const host = fakeHost()
    await fakeRun(playbook(put('a', 'x', 'become_user: app\n  guard: reconnect')), { host })

    expect(framesOf(host)).toEqual(['get', '', 'arm', 'put get', 'keep'])
    expect(host.shells).toEqual(['app', 'root', 'root', 'root', 'app'])
  })

  test('is looked for at the port that it says, and so are later connections', async () => {
    const host = fakeHost()
    const text = playbook(
      `${put('a', 'x', 'guard: { reconnect: 60s, port: 2222 }')}\n- meta: reset_connection\n${put('b', 'x')}`,
    )
    await fakeRun(text, { host })
    expect(host.ports).toEqual([undefined, 2222, 2222])
  })

  test('comes one after the other where there are several', async () => {
    const host = fakeHost()
    const text = playbook(`${put('a', 'x', 'guard: reconnect')}\n${put('b', 'x', 'guard: reconnect')}`)
    const { tasks } = await fakeRun(text, { host })

    expect(framesOf(host)).toEqual(['get', 'arm', 'put get', 'keep', 'arm', 'put get', 'keep'])
    expect(tasks).toEqual([
      ['a', 'changed'],
      ['b', 'changed'],
    ])
  })

  test('arms for each turn of a loop that changes something', async () => {
    const host = fakeHost({ a: 'x' })
    const text = playbook(
      "- name: all\n  put: { key: '{{ item }}', value: x }\n  loop: [a, b]\n  guard: reconnect",
    )
    await fakeRun(text, { host })
    expect(framesOf(host).filter(frame => frame === 'arm')).toHaveLength(1)
  })
})

describe('a handler of a guarded task', () => {
  const notifying = put('a', 'x', 'guard: reconnect\n  notify: reload')

  test('runs before the change is proved, and only once', async () => {
    const host = fakeHost()
    const text = playbook(`${notifying}\n${put('b', 'x')}`, "- name: reload\n  act: '1'")
    const { tasks, exit } = await fakeRun(text, { host })

    expect(framesOf(host).slice(0, 6)).toEqual(['get', 'arm', 'put get', 'widen', 'true get', 'keep'])
    expect(tasks).toEqual([
      ['reload', 'changed'],
      ['a', 'changed'],
      ['b', 'changed'],
    ])
    expect(exit).toBe(0)
  })

  test('that locks people out has the task taken back', async () => {
    const host = fakeHost()
    const { tasks, exit } = await fakeRun(
      playbook(notifying, '- name: reload\n  put: { key: gate, value: shut }'),
      { host },
    )

    expect(exit).toBe(1)
    expect(tasks).toEqual([
      ['reload', 'changed'],
      ['a', 'failed'],
    ])
    expect(host.keys.size).toBe(0)
  })

  test('that fails has the task taken back', async () => {
    const host = fakeHost()
    const { events, exit } = await fakeRun(playbook(notifying, '- name: reload\n  act: fail'), { host })

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      task: 'a',
      failure: { code: 'GUARD_HANDLER_FAILED' },
    })
    expect(host.keys.has('a')).toBe(false)
    expect(framesOf(host)).not.toContain('keep')
  })

  test('leaves those that others notified until their time', async () => {
    const host = fakeHost()
    const text = playbook(
      `${put('b', 'x', 'notify: other')}\n${notifying}\n${put('c', 'x')}`,
      "- name: other\n  act: '2'\n- name: reload\n  act: '1'",
    )
    const { tasks } = await fakeRun(text, { host })
    expect(tasks.map(([task]) => task)).toEqual(['b', 'reload', 'a', 'c', 'other'])
  })
})
