import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runDeadline } from '../../src/cli/run-deadline.ts'
import type { Connection } from '../../src/transport/session.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Connections that count how often they are closed. */
function line() {
  const closed: string[] = []
  const connect = (host: string): Promise<Connection> =>
    Promise.resolve({
      host,
      shell: () => Promise.reject(new Error('no shell here')),
      usage: () => ({ frames: 0, bytesSent: 0, bytesReceived: 0 }),
      close: () => {
        closed.push(host)
        return Promise.resolve()
      },
    })
  return { closed, connect }
}

const never = new AbortController().signal

describe('cli/run-deadline', () => {
  test('when the time is over nothing new is begun, and a little later nothing is waited for', async () => {
    const { closed, connect } = line()
    const said: string[] = []
    const time = runDeadline(60, never, connect, message => said.push(message))
    await time.connect('hung', time.signal)
    const done = await time.connect('done', time.signal)
    await done.close()

    vi.advanceTimersByTime(59_999)
    expect([time.signal.aborted, said.length]).toEqual([false, 0])
    vi.advanceTimersByTime(1)
    expect([time.signal.aborted, said.length]).toEqual([true, 1])
    expect(closed).toEqual(['done'])
    vi.advanceTimersByTime(15_000)
    expect(closed).toEqual(['done', 'hung'])
    await time.connect('late', time.signal)
    expect(closed).toEqual(['done', 'hung', 'late'])
  })

  test('a run that ends in time is left alone', () => {
    const said: string[] = []
    const time = runDeadline(1, never, line().connect, message => said.push(message))
    time.release()
    vi.advanceTimersByTime(60_000)

    expect([time.signal.aborted, said.length]).toEqual([false, 0])
  })

  test('Ctrl-C works as without', () => {
    const stop = new AbortController()
    const time = runDeadline(60, stop.signal, line().connect, () => undefined)
    stop.abort(new Error('interrupted'))

    expect(time.signal.aborted).toBe(true)
    expect(runDeadline(undefined, never, line().connect, () => undefined).signal).toBe(never)
  })
})
