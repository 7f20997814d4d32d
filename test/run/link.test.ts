import { describe, expect, test } from 'vitest'
import { ConnectError, DeadlineError } from '../../src/base/error.ts'
import { Link } from '../../src/run/link.ts'
import { pauseAfterRefusal } from '../../src/run/lost.ts'

const cut = new ConnectError('h', 'lost', 'the link was lost')
const refused = new ConnectError('h', 'tcp', 'connection refused')
const wrongKey = new ConnectError('h', 'hostkey', 'another key')
const signal = new AbortController().signal

/** Fails with these, one after the other, and connects then. */
function failing(...errors: readonly Error[]): () => Promise<string> {
  const left = [...errors]
  return () => {
    const error = left.shift()
    return error ? Promise.reject(error) : Promise.resolve('there')
  }
}

describe('a link', () => {
  test('is tried again until it is there', async () => {
    const back = await new Link('h', 10, signal).restore(cut, failing(refused, wrongKey, refused))
    expect(back).toMatchObject({ result: 'there', attempts: 4 })
  })

  test('is given up once time is up', async () => {
    const link = new Link('h', 0.3, signal)
    await expect(
      link.restore(cut, failing(...Array.from({ length: 20 }, () => refused))),
    ).rejects.toMatchObject({
      stage: 'lost',
      cause: refused,
    })
  })

  test('is given up where a host shows the wrong key twice in a row', async () => {
    const link = new Link('h', 60, signal)
    await expect(link.restore(cut, failing(wrongKey, wrongKey))).rejects.toMatchObject({ cause: wrongKey })
  })

  test('is not tried again and again where logins are refused, for that gets us shut out', async () => {
    const denied = new ConnectError('h', 'auth', 'the host refused the login')
    let tries = 0
    const trying = new Link('h', 5, signal).restore(cut, () => {
      tries += 1
      return Promise.reject(denied)
    })

    await expect(trying).rejects.toMatchObject({ stage: 'lost', cause: denied })
    expect(tries).toBe(1)
    const pauses = [1, 2, 3, 4].map(pauseAfterRefusal)
    expect(pauses.slice(0, 3).reduce((a, b) => a + b)).toBeLessThan(600_000)
    expect(pauses.reduce((a, b) => a + b)).toBeGreaterThan(600_000)
  })

  test('is left alone by an interrupted run', async () => {
    const stop = new AbortController()
    const link = new Link('h', 60, stop.signal)
    expect(link.isCut(cut)).toBe(true)
    const trying = link.restore(cut, failing(...Array.from({ length: 20 }, () => refused)))
    stop.abort(new Error('interrupted'))
    await expect(trying).rejects.toThrow('aborted')
    expect(link.isCut(cut)).toBe(false)
  })

  test('is not waited for where the host was silent, refused, or is not to be waited for', () => {
    expect(new Link('h', 0, signal).isCut(cut)).toBe(false)
    expect(new Link('h', 60, signal).isCut(refused)).toBe(false)
    expect(new Link('h', 60, signal).isCut(new DeadlineError('h', 3, 'silent'))).toBe(false)
  })
})
