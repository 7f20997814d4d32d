import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { ENVIRONMENT, many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

const PROJECT = join(import.meta.dirname, 'project')
const BIN = join(import.meta.dirname, '../../bin/msingi.js')
const run = promisify(execFile)

type Argv = readonly string[]

/** Runs the program as its own process. */
async function msingi(...argv: Argv): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(process.execPath, [BIN, ...argv], { cwd: PROJECT, env: ENVIRONMENT })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome
    return { code, stdout, stderr }
  }
}

function codes(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^error\[([^\]]+)\]/gm)].map(([, code = '']) => code)
}

const WRONG = ['UNKNOWN_MODULE', 'MISSING_PARAM', 'UNKNOWN_PARAM', 'UNDEFINED_VAR', 'MISSING_HANDLER']

/** Nothing of these prints anything but its complaint. */
const REFUSED: readonly (readonly [Argv, number, readonly string[]])[] = [
  [['frobnicate'], 4, ['BAD_ARGUMENT']],
  [['apply'], 4, ['BAD_ARGUMENT']],
  [['apply', 'right.yml', '--frob'], 4, ['BAD_OPTION']],
  [['apply', 'right.yml', '-f', '0'], 4, ['BAD_OPTION']],
  [['apply', 'right.yml', '--become-method', 'magic'], 4, ['BAD_OPTION']],
  [['apply', 'right.yml', '--output', 'xml'], 4, ['BAD_OPTION']],
  [['apply', 'right.yml', '-e', 'oops'], 4, ['BAD_OPTION']],
  [['apply', 'none.yml'], 4, ['NO_PLAYBOOK']],
  [['apply', 'right.yml', '-i', 'nowhere'], 4, ['NO_INVENTORY']],
  [['apply', 'right.yml', '-l', 'nobody'], 4, ['NO_MATCH']],
  [['apply', 'right.yml', '-l', 'web'], 4, ['NO_MATCH']],
  [['apply', 'right.yml', '-K'], 4, ['NO_PASSWORD']],
  [['apply', 'right.yml', '--become-password-file', 'none'], 4, ['NO_PASSWORD']],
  [['apply', 'asking.yml'], 4, ['NO_ANSWER']],
  [['vars', 'web9'], 4, ['NO_MATCH']],
  [['vars', 'web1', 'greting'], 4, ['BAD_ARGUMENT']],
  [['modules', 'statt'], 4, ['BAD_ARGUMENT']],
  [['facts', 'me', 'oss'], 4, ['BAD_ARGUMENT']],
  [['exec', 'nobody', '--', 'true'], 4, ['NO_MATCH']],
  [['roles', 'greter'], 4, ['BAD_ARGUMENT']],
  [['lint'], 4, ['BAD_ARGUMENT']],
  [['lint', 'wrong.yml'], 4, WRONG],
  [['apply', 'wrong.yml'], 4, WRONG],
  [['exec', 'gone', '--', 'true'], 3, ['gone, tcp']],
]

const GREETING =
  /^greeting = "hello web1"\n {2}host web1 \(host\) inventory\/hosts\.yml:7:31\n {2}beats group web \(group\) inventory\/hosts\.yml:5:25: "hello"\n {2}beats group all \(group\) inventory\/hosts\.yml:2:21: "hi"\n$/

const PRINTED: readonly (readonly [Argv, number, RegExp])[] = [
  [['--help'], 0, /^Usage: msingi/],
  [['hosts', 'trust', '--help'], 0, /^Usage: msingi hosts trust/],
  [['vars', 'web1', 'greeting'], 0, GREETING],
  [['hosts', 'list'], 0, /^web1\nweb2\ngone\nhere\n$/],
  [['hosts', 'list', 'web:!web1'], 0, /^web2\n$/],
  [['hosts', 'list', '-i', 'a,b,'], 0, /^a\nb\n$/],
  [['hosts', 'list', '-l', 'me'], 0, /^here\n$/],
  [['hosts', 'graph'], 0, /^all\n├── web\n│   ├── web1\n/],
  [['modules'], 0, /^\w+ +\S.*\n/],
  [['modules', 'ansible.builtin.stat'], 0, /^# `?stat/],
  [['roles'], 0, /^greeter {2}Greets\.\n$/],
  [['roles', 'greeter'], 0, /^# greeter\n\nGreets\.\n[^]*\| `whom` \| string \| \*\*required\*\* \|/],
  [['lint', '--check-roles'], 0, /^no problems: 1 role\n$/],
  [['lint', 'right.yml', '--check-roles'], 0, /^no problems: 1 playbook, 2 tasks, 1 host, 1 role\n$/],
  [['lint', 'right.yml'], 0, /^no problems: 1 playbook, 2 tasks, 1 host\n$/],
  [['apply', 'right.yml', '--list-hosts'], 0, /^here\n$/],
  [
    ['apply', 'right.yml', '--list-tasks', '-t', 'look'],
    0,
    /^right\.yml:4:7\tLook\tLook at the root folder\t\[stat\]\tlook\n/,
  ],
  [['plan', 'templated.yml', '-e', 'target=web', '--list-hosts'], 0, /^web1\nweb2\n$/],
  [['exec', 'me', '--', 'printf', '%s\n', 'a b'], 0, /^here \| a b\n$/],
  [['exec', 'me', 'echo out; exit 3'], 1, /^here \| out\nhere ! ended with status 3\n$/],
  [
    ['exec', 'me', '--output', 'json', 'echo hi'],
    0,
    /^\{"host":"here","rc":0,"stdout":"hi\\n","stderr":"","ms":\d+\}\n$/,
  ],
  [['facts', 'me', 'kernel'], 0, /^here\tkernel\t\{"release":/],
]

const RUNS: readonly (readonly [Argv, number])[] = [
  [['apply', 'right.yml'], 0],
  [['drift', 'right.yml'], 0],
  [['apply', 'asking.yml', '-e', 'word=spring'], 0],
  [['apply', 'facts.yml'], 0],
  [['apply', 'failing.yml'], 1],
  [['plan', 'differing.yml'], 2],
  [['drift', 'differing.yml'], 2],
  [['apply', '--check', 'differing.yml'], 2],
  [['apply', 'lost.yml'], 3],
  [['apply', 'lost.yml', 'failing.yml'], 1],
]

describe('command lines', { timeout: 120_000 }, () => {
  let outcomes: ReadonlyMap<Argv, Outcome>

  beforeAll(async () => {
    const lines = [...REFUSED, ...PRINTED, ...RUNS].map(([argv]) => argv)
    const found = await many(
      lines.map(argv => (isRun(argv) ? [...argv, '--output', 'json'] : argv)),
      PROJECT,
    )
    outcomes = new Map(found.map((outcome, index) => [lines[index] ?? [], outcome]))
  }, 120_000)

  function isRun(argv: Argv): boolean {
    return RUNS.some(([one]) => one === argv)
  }

  test.each(REFUSED)('%j ends with %i and says %j', (argv, code, said) => {
    const { stdout, stderr, ...rest } = outcomes.get(argv) ?? { stdout: '', stderr: '' }
    expect({ ...rest, said: codes(stderr), stdout }).toEqual({ code, said, stdout: '' })
  })

  test.each(PRINTED)('%j ends with %i and prints %j', (argv, code, printed) => {
    const { stdout, ...rest } = outcomes.get(argv) ?? { stdout: '' }
    expect(rest).toEqual({ code, stderr: '' })
    expect(stdout).toMatch(printed)
  })

  test.each(RUNS)('%j runs and ends with %i', (argv, code) => {
    const { stdout, ...rest } = outcomes.get(argv) ?? { stdout: '' }
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as { type?: string; exit?: number }
    expect({ ...rest, type: last.type, exit: last.exit }).toEqual({
      code,
      stderr: '',
      type: 'run_done',
      exit: code,
    })
  })
})

describe.concurrent('msingi', { timeout: 60_000 }, () => {
  test('--version prints the version alone', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string
    }
    expect(await msingi('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('ends with the status of its command', async () => {
    expect(await msingi('exec', 'me', '--', 'exit 3')).toMatchObject({ code: 1, stderr: '' })
  })

  test('tells a wrong command line on stderr', async () => {
    const { code, stdout, stderr } = await msingi('apply', 'right.yml', '--frob')
    expect({ code, stdout, said: codes(stderr) }).toEqual({ code: 4, stdout: '', said: ['BAD_OPTION'] })
  })

  test.each([
    ['SIGINT', 1, 130],
    ['SIGTERM', 1, 130],
    ['SIGINT', 2, 130],
  ] as const)('%s, %i times, ends with %i', async (signal, times, exit) => {
    const child = spawn(process.execPath, [BIN, 'exec', 'me', '--', 'sleep', '30'], { cwd: PROJECT })
    const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
    await started(child.pid ?? 0)
    for (let i = 0; i < times; i++) {
      child.kill(signal)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(await ended).toBe(exit)
  })
})

/** Waits until the command on the host is a descendant of the process. */
async function started(pid: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const { stdout } = await run('ps', ['-eo', 'ppid=,pid=,args='])
    const processes = [...stdout.matchAll(/^ *(\d+) +(\d+) (.*)$/gm)].map(([, parent, own, args]) => ({
      parent: Number(parent),
      own: Number(own),
      args: args ?? '',
    }))
    const family = new Set([pid])
    for (const { parent, own } of processes) if (family.has(parent)) family.add(own)
    if (processes.some(({ own, args }) => family.has(own) && args.startsWith('sleep 30'))) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the command did not start')
}
