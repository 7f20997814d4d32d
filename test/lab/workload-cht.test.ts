import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readThroughCht } from '../../src/lab/workload-cht.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-workload-cht-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(() => {
  mkdirSync(join(folder, 'upgrade-service'))
  writeFileSync(
    join(folder, 'upgrade-service', '.env'),
    'COUCHDB_USER=medic\nCOUCHDB_PASSWORD=of-this-test\n',
  )
  writeFileSync(join(folder, 'cht.conf'), `CHT_ROOT=${folder}\nCHT_HTTPS_PORT=443\n`)
  writeFileSync(join(folder, 'curl'), `#!/bin/sh\ncat > ${folder}/login\nexec cat ${folder}/answer\n`)
  chmodSync(join(folder, 'curl'), 0o755)
})

test('of what the database gives back only whole documents of this drill count', () => {
  const row = (prefix: string, n: number, body: string): string =>
    `{"id":"${prefix}${eight(n)}","key":"x","value":{"rev":"1-a"},"doc":{"_id":"${prefix}${eight(n)}","_rev":"1-a","n":${n},"body":"${body}"}}`
  const rows = [
    ...[1, 2, 3, 5].map(n => row('drill-', n, eight(n).repeat(16))),
    row('drill-', 6, eight(6).repeat(15)),
    row('drill-', 7, eight(8).repeat(16)),
    row('other-', 9, eight(9).repeat(16)),
  ]
  writeFileSync(join(folder, 'answer'), `{"total_rows":7,"rows":[\n${rows.join(',\n')}\n]}\n`)
  const script = readThroughCht('drill-').text.replaceAll('/etc/msingi/cht.conf', join(folder, 'cht.conf'))

  const ranges = execFileSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
  })

  expect(ranges).toBe('1-3\n5-5\n')
})

function eight(n: number): string {
  return String(n).padStart(8, '0')
}
