import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { TaskError } from '../../src/base/error.ts'
import type { Completed } from '../../src/base/result.ts'
import { Secret } from '../../src/base/secret.ts'
import { JOB_KILLED, jobBase, jobScript, type Job } from '../../src/shell/job.ts'
import { sh, type Sh } from '../../src/shell/sh.ts'
import type { Session } from '../../src/transport/session.ts'
import { openIn, SHELLS, type ShellName } from '../support/shells.ts'

const base = mkdtempSync(join(tmpdir(), 'msingi-job-'))
const sessions: Session[] = []
let jobs = 0
afterAll(async () => {
  await Promise.all(sessions.map(session => session.close()))
  rmSync(base, { recursive: true, force: true })
})

interface Bench {
  readonly dir: string
  readonly ask: (script: Sh, onOutput?: (stream: string, text: string) => void) => Promise<Completed>
  readonly run: (job: Partial<Job> & { script: Sh }) => Promise<Completed>
}

/** A session and a directory for the test alone, because the tests run side by side. */
async function bench(name: ShellName): Promise<Bench> {
  jobs += 1
  const dir = join(base, `run ${jobs}`, '1')
  const session = await openIn(name)
  sessions.push(session)
  const ask: Bench['ask'] = async (script, onOutput) => {
    const part = onOutput ? { script, onOutput } : { script }
    const [answer] = await session.exchange([part], { deadlineMs: 9000 })
    if (!answer) throw new Error('no answer')
    return answer
  }
  return { dir, ask, run: job => ask(jobScript({ dir, ...job })) }
}

describe.concurrent.each(SHELLS)('jobs in %s', name => {
  describe.each([{ detached: true }, { detached: false }])('with detached $detached', ({ detached }) => {
    test('answer with status, output and errors', async ({ expect }) => {
      const { run, dir } = await bench(name)
      const answer = await run({ detached, script: sh`echo out; echo err >&2; printf 'no newline'; exit 42` })
      expect(answer).toMatchObject({ code: 42, out: 'out\nno newline', err: 'err\n' })
      expect(answer.ms).toBeLessThan(900)
      expect(await run({ dir: `${dir}.2`, detached, script: sh`:` })).toMatchObject({
        code: 0,
        out: '',
        err: '',
      })
    })

    test('see environment, stdin, directory and a plain umask', async ({ expect }) => {
      const { run } = await bench(name)
      const answer = await run({
        detached,
        script: sh`cat; echo "[$GREETING]"; pwd; umask; sh -c 'echo $LC_ALL$d'; echo $d`,
        env: { GREETING: `it's a "$HOME"\n` },
        stdin: new Secret("pass'word\n"),
        cwd: '/usr',
      })
      expect(answer).toMatchObject({
        code: 0,
        out: `pass'word\n[it's a "$HOME"\n]\n/usr\n0022\nC.UTF-8\n\n`,
        err: '',
      })
    })

    test('have an empty stdin where none is given', async ({ expect }) => {
      const { run } = await bench(name)
      const answer = await run({ detached, script: sh`wc -c` })
      expect([answer.code, answer.out.trim()]).toEqual([0, '0'])
    })

    test('fail on a syntax error', async ({ expect }) => {
      const { run, ask } = await bench(name)
      const answer = await run({ detached, script: sh`if then` })
      expect(answer.code).not.toBe(0)
      expect(await ask(sh`echo on`)).toMatchObject({ out: 'on\n' })
    })

    test('do not run in a directory that is taken', async ({ expect }) => {
      const { run, ask, dir } = await bench(name)
      await ask(sh`mkdir -p ${dir}`)
      expect(await run({ detached, script: sh`touch ${`${dir}/witness`}` })).toMatchObject({
        code: JOB_KILLED,
      })
      expect(readdirSync(dir)).toEqual([])
    })

    test('are not held up or garbled by what they leave in the background', async ({ expect }) => {
      const { run, ask } = await bench(name)
      const answer = await run({ detached, script: sh`(sleep 1; echo late; echo late >&2) & echo soon` })
      expect(answer).toMatchObject({ code: 0, out: 'soon\n', err: '' })
      expect(answer.ms).toBeLessThan(900)
      expect(await ask(sh`sleep 1.2; echo clean`)).toMatchObject({ out: 'clean\n', err: '' })
    })
  })

  test('may kill themselves', async ({ expect }) => {
    const { run } = await bench(name)
    expect(await run({ script: sh`kill -9 $$` })).toMatchObject({ code: 137 })
  })

  test('keep their directory private, the brief ones remove it', async ({ expect }) => {
    const { run, dir } = await bench(name)
    await run({ script: sh`:`, stdin: 'x' })
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'stdin')).mode & 0o777).toBe(0o600)
    await run({ dir: `${dir}.brief`, script: sh`:`, detached: false })
    expect(existsSync(`${dir}.brief`)).toBe(false)
  })

  test('pass on their output while they run, every byte once', async ({ expect }) => {
    const { ask, dir } = await bench(name)
    const seen: [string, number][] = []
    const start = performance.now()
    const script = sh`echo one; sleep 1.3; echo two; sleep 1.2; echo three; head -c 300000 /dev/zero | tr '\\0' x`
    const answer = await ask(jobScript({ dir, script }), (_, text) =>
      seen.push([text, performance.now() - start]),
    )
    expect(answer.out).toBe(`one\ntwo\nthree\n${'x'.repeat(300_000)}`)
    expect(seen[0]?.[0]).toBe('one')
    expect(seen[0]?.[1]).toBeLessThan(2000)
    expect(seen.map(([text]) => text).join('')).toBe(answer.out)
  })

  test('that are killed are told from those that ended', async ({ expect }) => {
    const { run, dir } = await bench(name)
    const { ask } = await bench(name)
    const pending = run({ script: sh`echo begun; sleep 20` })
    while (!existsSync(join(dir, 'out')) || readFileSync(join(dir, 'out'), 'utf8') === '') await sleep(20)
    await ask(sh`kill -9 $(cat ${join(dir, 'pid')})`)
    expect(await pending).toMatchObject({ code: JOB_KILLED, out: 'begun\n' })
  })

  test('begin at most once', async ({ expect }) => {
    const { run, ask, dir } = await bench(name)
    await run({ script: sh`echo x >>${`${dir}/witness`}` })
    await ask(sh`sh ${join(dir, 'go')}`)
    expect(readFileSync(join(dir, 'witness'), 'utf8')).toBe('x\n')
  })
})

test('a job refuses a variable that no shell can hold', () => {
  const job = { dir: '/run/msingi/x/1', script: sh`:` }
  expect(() => jobScript({ ...job, env: { 'A-B': '1' } })).toThrow(TaskError)
  expect(() => jobScript({ ...job, env: { A: '\0' } })).toThrow(RangeError)
})

test('jobs of others than root lie where they may write', () => {
  expect(jobBase('r1', 0)).toBe('/run/msingi/r1')
  expect(jobBase('r1', 1000)).toBe('/var/tmp/msingi-1000/r1')
})
