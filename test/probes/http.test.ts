import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { http, readHttp } from '../../src/probes/http.ts'

const answer = (out: string, err: string, code = 0) => ({ code, out, err, encoding: 'utf8', ms: 1 }) as const

describe('probes/http', () => {
  test('curl: the last answer after redirections, its login left out', () => {
    const moved = 'HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n'
    const last = 'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nContent-Type: text/plain\r\n\r\n'
    const size = moved.length + last.length
    const said = `msingi-http: ${size} http://ops:hunter2@127.0.0.1/b\n`

    expect(readHttp(answer(`${moved}${last}HTTP/1.1 is a body\r\n\r\n`, said))).toEqual({
      status: 200,
      reason: 'OK',
      headers: { 'x-a': '1, 2', 'content-type': 'text/plain' },
      body: 'HTTP/1.1 is a body\r\n\r\n',
      encoding: 'utf8',
      url: 'http://127.0.0.1/b',
    })
  })

  test('wget: headers come with its own words', () => {
    const err =
      '  HTTP/1.1 404 Not Found\n  Date: Mon, 23 Nov 2026 04:18:15 GMT\n  Content-type: text/html\nhttp://127.0.0.1:8000/nope:\n2026-11-23 04:18:15 ERROR 404: Not Found.\n'

    expect(readHttp(answer('<HTML>', err))).toMatchObject({
      status: 404,
      reason: 'Not Found',
      headers: { date: 'Mon, 23 Nov 2026 04:18:15 GMT', 'content-type': 'text/html' },
      body: '<HTML>',
    })
  })

  test('nobody answers', () => {
    const err = "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server\n"

    expect(readHttp(answer('', `${err}msingi-http: 0 http://127.0.0.1:9/\n`, 7))).toEqual({
      failure: err.trim(),
    })
  })

  test.each([
    ['no program', answer('', 'neither is there\n', 127)],
    ['no status', answer('hello', 'msingi-http: 0 http://127.0.0.1/\n')],
    ['more headers than bytes', answer('HTTP/1.1 200 OK\r\n\r\n', 'msingi-http: 900 http://127.0.0.1/\n')],
  ])('%s is unreadable', (_, given) => {
    expect(() => readHttp(given)).toThrow(expect.objectContaining({ code: 'PROBE_UNREADABLE' }) as Error)
  })

  test('nothing secret is in the identity of a request', () => {
    const { key } = http({
      curl: new Secret('user = "ops:hunter2"'),
      wget: undefined,
      url: 'http://a/',
      seconds: 3,
    })

    expect(key).toMatch(/^http http:\/\/a\/ [0-9a-f]{16}$/)
  })
})
