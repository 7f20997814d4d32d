import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { TaskError } from '../../src/base/error.ts'
import type { Completed } from '../../src/base/result.ts'
import {
  changeScript,
  discardChanges,
  followScripts,
  isNotKept,
  readChangeState,
  type Carried,
  type ChangeState,
} from '../../src/shell/change.ts'
import { JOB_KILLED, jobScript } from '../../src/shell/job.ts'
import { doneLine, readOwed, type Owed } from '../../src/shell/journal.ts'
import { sh, type Sh } from '../../src/shell/sh.ts'
import type { Session } from '../../src/transport/session.ts'
import { openShell } from '../../src/transport/shell-session.ts'
import type { Wire } from '../../src/transport/wire.ts'
import { openIn, SHELLS, wireTo, type ShellName } from '../support/shells.ts'

const base = mkdtempSync(join(tmpdir(), 'msingi-change-'))
const sessions: Session[] = []
let benches = 0
afterAll(async () => {
  await Promise.all(sessions.map(session => session.close()))
  rmSync(base, { recursive: true, force: true })
})

interface Bench {
  readonly dir: string
  readonly witness: string
  readonly change: (wish: Wish) => Carried
  readonly ask: (...scripts: readonly Sh[]) => Promise<readonly Completed[]>
  readonly send: (change: Carried) => Promise<Completed>
  readonly follow: (change: Carried) => Promise<ChangeState & { out: string; err: string }>
  readonly owed: () => readonly Owed[]
  /** Begins a change in a shell of its own and cuts its link. */
  readonly cut: (change: Carried, after: () => boolean) => Promise<void>
}

interface Wish {
  readonly change?: number
  readonly deeds: readonly ({ readonly brief: Sh } | { readonly job: Sh })[]
  readonly owes?: readonly string[]
  readonly settles?: readonly string[]
  readonly begin?: boolean
}

/** A session and folders for the test alone, because the tests run side by side. */
async function bench(name: ShellName): Promise<Bench> {
  benches += 1
  const dir = join(base, `b${benches}`)
  const session = await openIn(name)
  sessions.push(session)
  const change = ({ change = 1, deeds, owes = [], settles = [], begin }: Wish): Carried => {
    const file = `${dir}/run/${change}`
    return {
      run: 'r1',
      change,
      file,
      deeds: deeds.map((deed, index) =>
        'brief' in deed
          ? { script: deed.brief }
          : { job: `${file}.${index}`, script: jobScript({ dir: `${file}.${index}`, script: deed.job }) },
      ),
      journal: {
        folder: `${dir}/kept`,
        host: '-',
        owes,
        settles,
        ...(begin === true && { begin: { time: 'now', what: 'shell a b' } }),
      },
    }
  }
  const ask: Bench['ask'] = (...scripts) =>
    session.exchange(
      scripts.map(script => ({ script })),
      { deadlineMs: 9000 },
    )
  return {
    dir,
    witness: `${dir}/witness`,
    change,
    ask,
    send: async one => (await ask(changeScript(one)))[0] as Completed,
    follow: async one => {
      const [output, state] = (await ask(...followScripts(one))) as [Completed, Completed]
      return { ...readChangeState(state.out), out: output.out, err: output.err }
    },
    owed: () => {
      const file = `${dir}/kept/owed`
      return existsSync(file) ? readOwed(readFileSync(file, 'utf8')) : []
    },
    cut: async (one, after) => {
      const wires: Wire[] = []
      const open = async (command: string): Promise<Wire> => {
        wires.push(await wireTo(name)(command))
        return wires[0] as Wire
      }
      const doomed = await openShell(open, { host: 'here', deadlineMs: 5000 })
      const pending = doomed.exchange([{ script: changeScript(one) }], { deadlineMs: 20_000 })
      pending.catch(() => undefined)
      while (!after()) await sleep(20)
      // As sshd does it: what the shell reads from and writes to is closed, and no signal is sent.
      for (const wire of wires) for (const end of [wire.stdin, wire.stdout, wire.stderr]) end.destroy()
    },
  }
}

const linesOf = (file: string): number =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0

describe.concurrent.each(SHELLS)('changes in %s', name => {
  test('answer like the last of their actions, and stop at the first that fails', async ({ expect }) => {
    const { change, send, witness, dir } = await bench(name)
    const fine = await send(
      change({ deeds: [{ brief: sh`echo one; umask` }, { job: sh`echo two; echo err >&2` }] }),
    )
    expect(fine).toMatchObject({ code: 0, out: 'one\n0022\ntwo\n', err: 'err\n' })
    const bad = change({
      change: 2,
      deeds: [{ brief: sh`echo no >&2; exit 7` }, { job: sh`touch ${witness}` }],
    })
    expect(await send(bad)).toMatchObject({ code: 7, err: 'no\n' })
    expect(existsSync(witness)).toBe(false)
    expect(await send(change({ change: 3, deeds: [] }))).toMatchObject({ code: 0 })
    expect(existsSync(join(dir, 'kept'))).toBe(false)
  })

  test('are begun once, and can be followed afterwards', async ({ expect }) => {
    const { change, send, follow, witness } = await bench(name)
    const one = change({ deeds: [{ job: sh`echo x >>${witness}; echo out; exit 3` }] })
    expect(await follow(one)).toMatchObject({ is: 'absent', out: '' })
    expect(await send(one)).toMatchObject({ code: 3, out: 'out\n' })
    expect(await send(one)).toMatchObject({ code: JOB_KILLED })
    expect(linesOf(witness)).toBe(1)
    expect(await follow(one)).toEqual({ is: 'ended', code: 3, out: 'out\n', err: '' })
  })

  test('go on without their link to the last action, and are followed to it', async ({ expect }) => {
    const { change, cut, follow, witness, owed } = await bench(name)
    const one = change({
      deeds: [
        {
          job: sh`echo begun >>${witness}; echo a; sleep 1.2; echo b; head -c 200000 /dev/zero | tr '\\0' x`,
        },
        { brief: sh`echo c; echo on >>${witness}; echo warned >&2` },
      ],
      owes: ['role web/Restart it'],
    })
    await cut(one, () => linesOf(witness) === 1)
    const end = await follow(one)
    expect(end).toMatchObject({ is: 'ended', code: 0, err: 'warned\n' })
    expect(end.out).toBe(`a\nb\n${'x'.repeat(200_000)}c\n`)
    expect(linesOf(witness)).toBe(2)
    expect(owed()).toEqual([
      { run: 'r1', change: 1, host: '-', handler: 'role web/Restart it', isMade: true },
    ])
  })

  test('of which the process is killed are undecided, unless their last job tells', async ({ expect }) => {
    const { change, cut, ask, follow, witness } = await bench(name)
    const kill = (file: string): Promise<unknown> => ask(sh`read -r w p b <${file}; kill -9 $p`)
    const job = change({ deeds: [{ job: sh`echo begun >>${witness}; sleep 1.5; echo told; exit 5` }] })
    await cut(job, () => linesOf(witness) === 1)
    await kill(job.file)
    expect(await follow(job)).toMatchObject({ is: 'ended', code: 5, out: 'told\n' })
    const brief = change({ change: 2, deeds: [{ brief: sh`echo begun >>${witness}; sleep 1` }] })
    await cut(brief, () => linesOf(witness) === 2)
    await kill(brief.file)
    expect(await follow(brief)).toMatchObject({ is: 'undecided' })
    const more = change({
      change: 3,
      deeds: [{ job: sh`echo begun >>${witness}; sleep 1` }, { brief: sh`:` }],
    })
    await cut(more, () => linesOf(witness) === 3)
    await kill(more.file)
    expect(await follow(more)).toMatchObject({ is: 'undecided' })
  })

  test('after a restart are found in the journal', async ({ expect }) => {
    const { change, send, follow, dir } = await bench(name)
    const one = change({ deeds: [{ job: sh`exit 4` }], begin: true })
    await send(one)
    rmSync(join(dir, 'run'), { recursive: true })
    expect(await follow(one)).toMatchObject({ is: 'ended', code: 4 })
    const journal = join(dir, 'kept/journal')
    writeFileSync(journal, readFileSync(journal, 'utf8').replace(/^end .*$/m, ''))
    expect(await follow(one)).toMatchObject({ is: 'undecided' })
    expect(await follow(change({ change: 2, deeds: [], begin: true }))).toMatchObject({ is: 'absent' })
  })

  test('remember what they notify before they begin, and forget it where they fail', async ({ expect }) => {
    const { change, send, owed, dir, witness } = await bench(name)
    const one = change({ deeds: [{ brief: sh`cp ${`${dir}/kept/owed`} ${witness}` }], owes: ['a b', 'ü'] })
    await send(one)
    expect(readOwed(readFileSync(witness, 'utf8'))).toMatchObject([
      { handler: 'a b', isMade: false },
      { handler: 'ü', isMade: false },
    ])
    expect(owed()).toMatchObject([
      { handler: 'a b', isMade: true },
      { handler: 'ü', isMade: true },
    ])
    await send(change({ change: 2, deeds: [{ brief: sh`exit 1` }], owes: ['c'] }))
    await send(change({ change: 3, deeds: [{ job: sh`exit 1` }], owes: ['d'] }))
    expect(owed().map(({ handler }) => handler)).toEqual(['a b', 'ü'])
    await send(change({ change: 4, deeds: [{ job: sh`exit 1` }], settles: [doneLine(one, 'a b')] }))
    expect(owed()).toHaveLength(2)
    await send(change({ change: 5, deeds: [{ job: sh`:` }], settles: [doneLine(one, 'a b')] }))
    expect(owed().map(({ handler }) => handler)).toEqual(['ü'])
  })

  test('that are killed leave open whether their handlers are owed', async ({ expect }) => {
    const { change, send, owed } = await bench(name)
    await send(change({ deeds: [{ brief: sh`kill -9 $(exec sh -c 'echo $PPID')` }], owes: ['a'] }))
    expect(owed()).toMatchObject([{ handler: 'a', isMade: false }])
  })

  test('are not begun where nobody would remember their handlers', async ({ expect }) => {
    const { change, send, ask, dir, witness, follow } = await bench(name)
    await ask(sh`mkdir -p ${`${dir}/kept/owed`}`)
    const one = change({ deeds: [{ brief: sh`touch ${witness}` }], owes: ['a'] })
    expect(isNotKept(await send(one))).toBe(true)
    expect(existsSync(witness)).toBe(false)
    expect(await follow(one)).toMatchObject({ is: 'absent' })
  })

  test('keep the journal within bounds', async ({ expect }) => {
    const { change, send, ask, dir } = await bench(name)
    await ask(sh`mkdir -p ${`${dir}/kept`}`)
    const journal = join(dir, 'kept/journal')
    appendFileSync(journal, `${'x'.repeat(99)}\n`.repeat(3000))
    await send(change({ deeds: [{ job: sh`:` }], begin: true }))
    expect(readFileSync(journal, 'utf8').length).toBeLessThan(140_000)
    expect(readFileSync(journal, 'utf8')).toMatch(/\nbegin r1 1 now shell%20a%20b\n+end r1 1 0\n$/)
  })

  test('leave nothing behind once they are discarded', async ({ expect }) => {
    const { change, send, ask, dir } = await bench(name)
    const one = change({ deeds: [{ brief: sh`echo x` }, { job: sh`:` }] })
    const other = change({ change: 11, deeds: [{ brief: sh`:` }] })
    await send(one)
    await send(other)
    await ask(discardChanges([one.file]))
    expect(readdirSync(join(dir, 'run')).sort()).toEqual(['11', '11.0.err', '11.0.out'])
    await ask(discardChanges([other.file]))
    expect(readdirSync(dir)).toEqual([])
  })
})

test('the state of a change is never guessed', () => {
  expect(() => readChangeState('ended \n')).toThrow(TaskError)
  expect(() => readChangeState('')).toThrow(TaskError)
})
