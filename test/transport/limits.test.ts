import { describe, expect, test } from 'vitest'
import { EarlyDrop, makeGate, makeHandshakeLimits, retryEarlyDrops } from '../../src/transport/limits.ts'

const never = new AbortController().signal

/** Counts how many jobs run at once; each ends when it is told to. */
function crowd(): { job: () => Promise<void>; most: () => number; endAll: () => void } {
  const waiting: (() => void)[] = []
  let running = 0
  let most = 0
  let ended = false
  return {
    job: async () => {
      running++
      most = Math.max(most, running)
      if (!ended) await new Promise<void>(resolve => waiting.push(resolve))
      running--
    },
    most: () => most,
    endAll: () => {
      ended = true
      for (const end of waiting.splice(0)) end()
    },
  }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('makeGate', () => {
  test('no-more-run-at-once-than-there-are-places-and-all-run', async () => {
    const gate = makeGate(2)
    const { job, most, endAll } = crowd()
    const all = Promise.all(Array.from({ length: 9 }, () => gate.run(job, never)))
    await settled()
    expect(most()).toBe(2)
    endAll()
    await all
    expect(most()).toBe(2)
  })

  test('a-failed-job-gives-its-place-back', async () => {
    const gate = makeGate(1)
    await expect(gate.run(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no')
    expect(await gate.run(() => Promise.resolve('yes'), never)).toBe('yes')
  })

  test('an-abort-leaves-the-queue-and-takes-nobody-elses-place', async () => {
    const gate = makeGate(1)
    const { job, endAll } = crowd()
    const abort = new AbortController()
    const first = gate.run(job, never)
    const second = gate.run(job, abort.signal)
    const third = gate.run(() => Promise.resolve('third'), never)
    abort.abort(new Error('interrupted'))
    await expect(second).rejects.toThrow('interrupted')
    endAll()
    await first
    expect(await third).toBe('third')
    await expect(gate.run(job, abort.signal)).rejects.toThrow('interrupted')
  })
})

describe('makeHandshakeLimits', () => {
  test('eight-go-through-a-jump-host-and-sixteen-in-all', async () => {
    const limits = makeHandshakeLimits(2)
    const [one, all] = [crowd(), crowd()]
    const jobs = Array.from({ length: 40 }, () => limits.run('bastion', one.job, never))
    await settled()
    expect(one.most()).toBe(8)
    const direct = Array.from({ length: 40 }, () => limits.run(undefined, all.job, never))
    await settled()
    expect(all.most()).toBe(8)
    one.endAll()
    all.endAll()
    await Promise.all([...jobs, ...direct])
    expect(all.most()).toBeLessThanOrEqual(16)
  })
})

describe('retryEarlyDrops', () => {
  test('a-dropped-connection-is-tried-again', async () => {
    let tries = 0
    const job = (): Promise<string> => {
      tries++
      return tries === 2 ? Promise.resolve('in') : Promise.reject(new EarlyDrop('dropped'))
    }
    expect(await retryEarlyDrops(job, never)).toBe('in')
    expect(tries).toBe(2)
  })

  test('another-error-is-not', async () => {
    let tries = 0
    const job = (): Promise<string> => {
      tries++
      return Promise.reject(new Error('refused'))
    }
    await expect(retryEarlyDrops(job, never)).rejects.toThrow('refused')
    expect(tries).toBe(1)
  })

  test('an-abort-ends-the-waiting', async () => {
    const abort = new AbortController()
    const job = (): Promise<string> => Promise.reject(new EarlyDrop('dropped'))
    const retried = retryEarlyDrops(job, abort.signal)
    await settled()
    abort.abort()
    await expect(retried).rejects.toThrow(/abort/i)
  })
})
