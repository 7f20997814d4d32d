import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectError, DeadlineError, TaskError } from '../../src/base/error.ts'
import { sh, Sh } from '../../src/shell/sh.ts'
import { spawnWire } from '../../src/transport/local.ts'
import type { Session } from '../../src/transport/session.ts'
import { openShell } from '../../src/transport/shell-session.ts'
import type { Wire } from '../../src/transport/wire.ts'
import { openIn, SHELLS, toolPath, wireTo, type ShellName } from '../support/shells.ts'

const opened: Session[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(session => session.close()))
})

async function open(name: ShellName = 'dash'): Promise<Session> {
  const made = await openIn(name)
  opened.push(made)
  return made
}

const soon = { deadlineMs: 5000 }

async function answersOf(shell: Session, ...scripts: readonly Sh[]) {
  return shell.exchange(
    scripts.map(script => ({ script })),
    soon,
  )
}

describe.each(SHELLS)('a session in %s', name => {
  test('greets with user, uid and a private directory that goes away', async () => {
    const shell = await openIn(name)
    expect(shell.uid).toBe(process.getuid?.())
    expect(shell.warnings).toEqual([])
    const [before] = await answersOf(shell, sh`stat -c %a ${shell.scratch}`)
    expect(before?.out).toBe('700\n')
    await shell.close()
    const other = await open(name)
    const [after] = await answersOf(other, sh`[ -e ${shell.scratch} ]`)
    expect(after?.code).toBe(1)
  })

  test('keeps exit status, stdout and stderr of each part apart', async () => {
    const shell = await open(name)
    const answers = await answersOf(
      shell,
      sh`echo a; echo b >&2; exit 3`,
      sh`printf c`,
      sh`printf d >&2; false`,
    )
    expect(answers.map(({ code, out, err }) => [code, out, err])).toEqual([
      [3, 'a\n', 'b\n'],
      [0, 'c', ''],
      [1, '', 'd'],
    ])
  })

  test.each([
    ['exit', sh`exit 7`, 7],
    ['a syntax error', sh`if then`, undefined],
    ['an unclosed quote', sh`echo "`, undefined],
    ['an unclosed brace', sh`}; echo`, undefined],
    ['set -e', sh`set -e; false; true`, 1],
    ['set -u', sh`set -u; echo $nothing_at_all`, undefined],
    ['exec of a command', sh`exec false`, 1],
    ['exec of nothing', sh`exec /no/such/file`, undefined],
    ['closed streams', sh`exec >&- 2>&-; exit 4`, 4],
    ['a failed expansion', sh`: ${Sh.made('${nothing_at_all?}')}`, undefined],
    ['kill of the loop', sh`kill $$; exit 5`, 5],
    ['hang-up of the loop', sh`kill -HUP $$; exit 5`, 5],
    ['kill of its own subshell', sh`exec sh -c 'kill -9 $$'`, 137],
    ['a changed IFS', sh`IFS=0123456789.; exit 6`, 6],
    ['redefined words of the loop', sh`_p() { :; }; _e() { :; }; printf() { :; }; read() { :; }; exit 8`, 8],
    ['a trap', sh`trap 'exit 9' EXIT; exit 1`, 9],
  ])('survives %s', async (_what, script, code) => {
    const shell = await open(name)
    const [first, second] = await answersOf(shell, script, sh`echo after`)
    expect(code === undefined ? first?.code !== 0 : first?.code === code, `status ${first?.code}`).toBe(true)
    expect(second).toMatchObject({ code: 0, out: 'after\n' })
    expect(await answersOf(shell, sh`pwd; umask`)).toMatchObject([{ out: '/\n0022\n' }])
  })

  test('gives its parts an empty stdin', async () => {
    const shell = await open(name)
    const answers = await answersOf(shell, sh`cat; wc -c`, sh`read x; echo "[$x]"`, sh`echo end`)
    expect(answers.map(answer => answer.out.trim())).toEqual(['0', '[]', 'end'])
  })

  test('shows its parts neither the marker nor their own text', async () => {
    const shell = await open(name)
    const [answer] = await answersOf(
      shell,
      sh`set; echo "args=$#"; tr '\\0' '\\n' </proc/$$/environ; tr '\\0' ' ' </proc/$$/cmdline`,
    )
    expect(answer?.out).toContain('args=0')
    expect(answer?.out).not.toMatch(/[0-9a-f]{32}/)
  })

  test('carries bytes that are no text', async () => {
    const shell = await open(name)
    const [answer] = await answersOf(shell, sh`printf '\\000\\377\\376\\n\\r\\033'`)
    expect(answer).toMatchObject({ out: '\0\xff\xfe\n\r\x1b', encoding: 'latin1' })
    const [text] = await answersOf(shell, sh`printf %s ${'ñandú \u{1F41B}'}`)
    expect(text).toMatchObject({ out: 'ñandú \u{1F41B}', encoding: 'utf8' })
  })

  test('is not misled by output that looks like an answer', async () => {
    const shell = await open(name)
    const lookalike = `\n${'0'.repeat(32)} 1.0 0 3\n\n\n`
    const [answer] = await answersOf(shell, sh`printf %s ${lookalike}; printf %s ${lookalike} >&2`)
    expect(answer).toMatchObject({ code: 0, out: lookalike, err: lookalike })
  })

  test('is not held up by a background child that keeps the streams', async () => {
    const shell = await open(name)
    const start = performance.now()
    const answers = await answersOf(shell, sh`sleep 3 & echo started`, sh`echo next`)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(answers).toMatchObject([{ out: 'started\n' }, { out: 'next\n' }])
  })

  test('measures time on the host', async () => {
    const shell = await open(name)
    const [slow] = await answersOf(shell, sh`sleep 0.2`)
    expect(slow?.ms).toBeGreaterThanOrEqual(180)
    expect(slow?.ms).toBeLessThan(1500)
  })

  test('uploads any bytes, also across chunks', async () => {
    const shell = await open(name)
    const content = Buffer.alloc(1_300_001, Buffer.from([0, 1, 10, 39, 92, 255]))
    const path = await shell.upload(content, soon)
    const empty = await shell.upload(new Uint8Array(), soon)
    const [sum, size] = await answersOf(shell, sh`md5sum <${path}`, sh`wc -c <${empty}`)
    const { createHash } = await import('node:crypto')
    expect(sum?.out.split(' ')[0]).toBe(createHash('md5').update(content).digest('hex'))
    expect(size?.out.trim()).toBe('0')
    expect(path.startsWith(`${shell.scratch}/`)).toBe(true)
  })

  test('goes on after an upload that the host cannot keep', async () => {
    const shell = await open(name)
    await answersOf(shell, sh`ln -s /dev/full ${`${shell.scratch}/upload-1`}`)
    const failed = await shell.upload(Buffer.alloc(300_000), soon).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(TaskError)
    expect(failed).toMatchObject({ code: 'NO_SPACE' })
    expect(await answersOf(shell, sh`echo still here`)).toMatchObject([{ out: 'still here\n' }])
  })

  test('reads exactly with a dd that knows no whole blocks', async () => {
    const tools = mkdtempSync(join(tmpdir(), 'msingi-dd-'))
    const dd = `case "$*" in *fullblock*) echo "dd: bad operand" >&2; exit 1;; esac; exec /bin/dd "$@"`
    writeFileSync(join(tools, 'dd'), `#!/bin/sh\n${dd}\n`, { mode: 0o755 })
    const shell = await openShell(wireTo(name, `${tools}:${toolPath(name)}`), { host: 'here' })
    opened.push(shell)
    expect(
      await answersOf(shell, sh`command -v dd; read x`, sh`echo ${'x'.repeat(5000)} | wc -c`),
    ).toMatchObject([{ out: `${tools}/dd\n` }, { out: expect.stringMatching(/^ *5001$/m) as string }])
    const path = await shell.upload(Buffer.alloc(9000, 'ab\0'), soon)
    expect(await answersOf(shell, sh`wc -c <${path}`)).toMatchObject([
      { out: expect.stringContaining('9000') as string },
    ])
    rmSync(tools, { recursive: true })
  })

  test('never runs a frame of which the end is missing', async () => {
    const witness = `/tmp/msingi-short-${process.pid}-${name}`
    let wire: Wire | undefined
    const shell = await openShell(async command => (wire = await wireTo(name)(command)), { host: 'here' })
    const script = `touch ${witness};`
    wire?.stdin.write(`1 ${script.length + 1}\n${script}`)
    wire?.stdin.end()
    await shell.ended
    const other = await open(name)
    expect(await answersOf(other, sh`[ -e ${witness} ]`)).toMatchObject([{ code: 1 }])
  })
})

describe('a session', () => {
  test('reports what the login shell printed as a warning', async () => {
    const noisy = await openShell(
      command => spawnWire('here', `echo Welcome; echo careful >&2; ${command}`, '/bin/sh'),
      { host: 'here' },
    )
    opened.push(noisy)
    expect(noisy.warnings).toHaveLength(2)
    expect(noisy.warnings[0]).toContain('Welcome')
    expect(noisy.warnings[1]).toContain('careful')
    expect(await answersOf(noisy, sh`echo a`)).toMatchObject([{ out: 'a\n', err: '' }])
  })

  test('passes on output while the part still runs', async () => {
    const shell = await open()
    const seen: [string, number][] = []
    const start = performance.now()
    const [answer] = await shell.exchange(
      [
        {
          script: sh`echo one; sleep 0.4; echo two >&2`,
          onOutput: (stream, text) => seen.push([`${stream} ${text.trim()}`, performance.now() - start]),
        },
      ],
      soon,
    )
    expect(seen.map(([what]) => what).filter(what => !what.endsWith(' '))).toEqual([
      'stdout one',
      'stderr two',
    ])
    expect(seen[0]?.[1]).toBeLessThan(350)
    expect(answer).toMatchObject({ out: 'one\n', err: 'two\n' })
  })

  test('keeps head and tail of 50 MB that somebody watches, in bounded memory', async () => {
    const shell = await open()
    const before = process.memoryUsage().rss
    let watched = 0
    const [answer, next] = await shell.exchange(
      [
        {
          script: sh`echo first; head -c 50000000 /dev/zero | tr '\\0' 'x'; echo last`,
          onOutput: (_, text) => (watched += text.length),
        },
        { script: sh`echo next` },
      ],
      { deadlineMs: 9000 },
    )
    expect(watched).toBe(50_000_011)
    expect(answer?.dropped).toBe(50_000_011 - 1024 * 1024)
    expect(answer?.out.startsWith('first\n')).toBe(true)
    expect(answer?.out.endsWith('last\n')).toBe(true)
    expect(next?.out).toBe('next\n')
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
  })

  test('refuses an answer beyond its limit and goes on', async () => {
    const shell = await open()
    const failed = shell.exchange([{ script: sh`head -c 2000 /dev/zero`, limit: 1000 }], soon)
    await expect(failed).rejects.toMatchObject({ name: 'TaskError', code: 'OUTPUT_TOO_LONG' })
    expect(await answersOf(shell, sh`echo a`)).toMatchObject([{ out: 'a\n' }])
  })

  test('sends frames one after the other', async () => {
    const shell = await open()
    const answers = await Promise.all([answersOf(shell, sh`sleep 0.1; echo 1`), answersOf(shell, sh`echo 2`)])
    expect(answers.flat().map(answer => answer.out)).toEqual(['1\n', '2\n'])
    expect(await shell.exchange([], soon)).toEqual([])
  })

  test('ends when a deadline is over', async () => {
    const shell = await open()
    const late = shell.exchange([{ script: sh`sleep 30` }], { deadlineMs: 100 })
    await expect(late).rejects.toBeInstanceOf(DeadlineError)
    await expect(answersOf(shell, sh`echo`)).rejects.toMatchObject({ name: 'ConnectError', stage: 'lost' })
  })

  test('ends when it is aborted in the middle of a frame, not when aborted before', async () => {
    const shell = await open()
    await expect(
      shell.exchange([{ script: sh`echo` }], { ...soon, signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop')
    expect(await answersOf(shell, sh`echo a`)).toMatchObject([{ out: 'a\n' }])
    const signal = AbortSignal.timeout(50)
    const stopped = shell.exchange([{ script: sh`sleep 30` }], { ...soon, signal })
    await expect(stopped).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect(answersOf(shell, sh`echo`)).rejects.toBeInstanceOf(ConnectError)
  })

  test('says that the link is lost when the wire is cut or the loop is killed', async () => {
    let wire: Wire | undefined
    const cut = await openShell(async command => (wire = await wireTo('dash')(command)), { host: 'here' })
    const pending = answersOf(cut, sh`sleep 30`)
    wire?.close()
    await expect(pending).rejects.toMatchObject({ name: 'ConnectError', stage: 'lost' })
    const killed = await open()
    await expect(answersOf(killed, sh`kill -9 $$`)).rejects.toMatchObject({ stage: 'lost' })
    rmSync(killed.scratch, { recursive: true })
  })

  test('says how the shell ended where it does not greet', async () => {
    const start = (command: string) =>
      openShell(() => spawnWire('here', command, '/bin/sh'), { host: 'here', deadlineMs: 300 })
    await expect(start('echo no login for you; exit 1')).rejects.toMatchObject({
      stage: 'shell',
      message: expect.stringContaining('no login for you') as string,
    })
    await expect(start('exec sleep 30')).rejects.toMatchObject({ stage: 'shell' })
  })

  test('counts frames and bytes', async () => {
    const shell = await openIn('dash')
    opened.push(shell)
    const before = shell.usage()
    await answersOf(shell, sh`echo 1`, sh`echo 2`)
    const after = shell.usage()
    expect(after.frames - before.frames).toBe(1)
    expect(after.bytesSent - before.bytesSent).toBeLessThan(50)
    expect(after.bytesReceived - before.bytesReceived).toBeLessThan(4 * 50)
    expect(before.bytesSent).toBeLessThan(2048)
  })
})
