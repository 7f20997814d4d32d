import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../src/base/error.ts'
import type { Event } from '../../src/base/event.ts'
import { openReporters, readWishes } from '../../src/cli/outputs.ts'
import type { Outside } from '../../src/cli/outputs.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-outputs-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function outside(isTTY: boolean, env: NodeJS.ProcessEnv = {}) {
  const said = { stdout: '', stderr: '' }
  const into = (name: keyof typeof said): Writable & { isTTY: boolean } =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          said[name] += String(chunk)
          done()
        },
      }),
      { isTTY },
    )
  const streams: Outside = { stdout: into('stdout'), stderr: into('stderr'), env }
  return { said, streams }
}

const counts = {
  ok: 1,
  changed: 0,
  would_change: 0,
  unknown: 0,
  skipped: 0,
  failed: 0,
  unreachable: 0,
  ignored: 0,
}
const stamp = { time: '2026-03-02T08:00:00.000Z', run: 'r1' }
const events: readonly Event[] = [
  { ...stamp, type: 'run_start', mode: 'apply', playbooks: ['site.yml'], hosts: ['web1'] },
  {
    ...stamp,
    type: 'host_done',
    host: 'web1',
    counts,
    frames: 1,
    bytes_sent: 1,
    bytes_received: 1,
    ms: 1,
  },
  { ...stamp, type: 'run_done', counts, exit: 0, ms: 1 },
]

async function told(values: readonly string[], isTTY = false) {
  const { said, streams } = outside(isTTY)
  const flags = { output: values, verbose: 0 }
  const reporters = await openReporters(readWishes(values, streams), flags, streams)
  for (const event of events) for (const reporter of reporters) reporter.report(event)
  await Promise.all(reporters.map(reporter => reporter.end()))
  return said
}

describe('cli/outputs', () => {
  test.each([
    [true, {}, 'tty'],
    [false, {}, 'plain'],
    [true, { CI: 'true' }, 'plain'],
    [true, { TERM: 'dumb' }, 'plain'],
  ])('without a wish: terminal %s, environment %o gives %s', (isTTY, env, form) => {
    expect(readWishes([], outside(isTTY, env).streams)).toEqual([{ form, file: undefined }])
  })

  test.each([
    [['xml']],
    [['jsn']],
    [['json=']],
    [['tty=file']],
    [['json', 'junit']],
    [['tty', 'plain']],
    [['json', 'json']],
  ])('%j is refused', values => {
    expect(() => readWishes(values, outside(false).streams)).toThrow(UsageError)
  })

  test('what is for people goes to stderr where a form for machines has stdout', async () => {
    const said = await told(['json', 'plain'])
    const lines = said.stdout.trimEnd().split('\n')
    expect(lines.map(line => (JSON.parse(line) as Event).type)).toEqual(events.map(event => event.type))
    expect(said.stderr).toContain('msingi apply')
  })

  test('a form for machines alone leaves stderr empty', async () => {
    expect((await told(['json'])).stderr).toBe('')
  })

  test('files are written, and those for collectors appear whole', async () => {
    const files = ['run.json', 'run.xml', 'run.prom'].map(name => join(folder, name))
    const said = await told([`json=${files[0]}`, `junit=${files[1]}`, `prometheus=${files[2]}`, 'plain'])
    expect(said.stdout).toContain('done')
    expect(files.map(file => readFileSync(file, 'utf8').split('\n')[0]?.slice(0, 20))).toEqual([
      '{"time":"2026-03-02T',
      '<?xml version="1.0" ',
      '# HELP msingi_host_t',
    ])
    expect(readdirSync(folder).filter(name => name.endsWith('.part'))).toEqual([])
  })

  test('a file that cannot be written is refused before the run', async () => {
    const { streams } = outside(false)
    const values = [`json=${folder}/no/such/file`]
    const opening = openReporters(readWishes(values, streams), { output: values, verbose: 0 }, streams)
    await expect(opening).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('a reader that goes away does not stop the run', async () => {
    const gone = Object.assign(
      new Writable({
        write(_chunk, _encoding, done) {
          done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
        },
      }),
      { isTTY: false },
    )
    const streams: Outside = { stdout: gone, stderr: gone, env: {} }
    const [reporter] = await openReporters(
      [{ form: 'plain', file: undefined }],
      { output: [], verbose: 0 },
      streams,
    )
    for (const event of events) reporter?.report(event)
    await expect(reporter?.end()).resolves.toBeUndefined()
  })
})
