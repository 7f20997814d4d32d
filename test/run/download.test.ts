import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { downloaded } from '../../src/run/download.ts'

const content = Buffer.from('a release\n')
const digits = createHash('sha512').update(content).digest('hex')

let server: Server
let url: string
const asked: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.url} ${String(request.headers['x-token'] ?? '')}`)
    response.writeHead(request.url === '/file' ? 200 : 404).end(content)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

describe('run/download', () => {
  const wish = () => ({
    url: `${url}/file`,
    headers: { 'x-token': new Secret('hunter2') },
    algorithm: 'sha512' as const,
    digits,
    seconds: 5,
  })

  test('what was fetched once comes from the cache', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'msingi-'))
    const first = await downloaded(wish(), cache)
    const second = await downloaded(wish(), cache)

    expect([Buffer.from(first), Buffer.from(second)]).toEqual([content, content])
    expect(asked).toEqual(['/file hunter2'])
  })

  test('content with another checksum is not kept', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'msingi-'))
    const other = { ...wish(), digits: '0'.repeat(128) }

    await expect(downloaded(other, cache)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' })
    expect(readdirSync(cache)).toEqual([])
  })

  test('a server that says no is a failure', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'msingi-'))

    await expect(downloaded({ ...wish(), url: `${url}/none` }, cache)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    })
  })
})
