import { randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from '../base/error.ts'
import type { Event, EventBody } from '../base/event.ts'
import type { Failure } from '../base/result.ts'
import { junitReporter } from '../report/junit.ts'
import { EXIT } from './exit.ts'
import { down, LABS, up } from './lab.ts'
import { lint } from './lint.ts'
import type { TestFlags } from './options.ts'
import { runSelf, type Ran } from './own-process.ts'

/** What is proved, and the playbooks that come with it. */
export interface Subject {
  readonly playbook: string
  /** Breaks the host by hand; drift must notice, and apply repair. */
  readonly mutate: string | undefined
  /** Looks from outside whether the host does what was promised. */
  readonly verify: string | undefined
  /** Variables for the runs, such as a role's parameters; what is given with `-e` is stronger. */
  readonly vars: string | undefined
}

interface Proof {
  readonly name: string
  readonly ms: number
  readonly failure?: Failure
}

/**
 * Proves a role or a playbook on a host made for that: converge, idempotence, drift, mutate, repair, verify. The host is
 * removed afterwards. Returns 0 where everything was proved.
 *
 * @throws ProjectError with everything that is wrong in the project, before a host is made.
 */
export async function test(target: string, flags: TestFlags): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-test-'))
  const lab = `test-${randomBytes(3).toString('hex')}`
  let isMade = false
  try {
    const subject = subjectOf(target, folder)
    const extraVars = [...(subject.vars === undefined ? [] : [`@${subject.vars}`]), ...flags.extraVars]
    const inventory = [draftInventory(folder, flags.group)]
    lint(playbooksOf(subject), { inventory, extraVars, tags: [], skipTags: [] })
    isMade = true
    await up(lab, { ...HOST, kind: flags.kind, os: flags.os })
    const started = performance.now()
    const words = [
      ...[join(LABS, lab, 'inventory.yml'), ...inventory].flatMap(file => ['-i', file]),
      ...extraVars.flatMap(entry => ['-e', entry]),
    ]
    const proofs = await prove(subject, words)
    if (flags.junit !== undefined) await writeJunit(flags.junit, target, proofs, performance.now() - started)
    return proofs.every(({ failure }) => failure === undefined) ? EXIT.done : EXIT.failed
  } finally {
    rmSync(folder, { recursive: true, force: true })
    if (isMade && !flags.keep && existsSync(join(LABS, lab))) await down(lab, false)
  }
}

const HOST = { hosts: 1, disk: [], memory: '1G', publish: [], package: [] } as const

/**
 * Returns the playbook to be proved: a file as it is, a role in a play of its own.
 *
 * @throws UsageError NO_PLAYBOOK where there is neither.
 */
export function subjectOf(target: string, folder: string): Subject {
  if (/\.ya?ml$/.test(target)) {
    if (!existsSync(target)) throw new UsageError('NO_PLAYBOOK', `there is no playbook \`${target}\``)
    return { playbook: target, ...companions(dirname(target)) }
  }
  const role = target.startsWith('roles/') ? target.slice('roles/'.length) : target
  if (!existsSync(join('roles', role))) {
    throw new UsageError(
      'NO_PLAYBOOK',
      `there is no role \`${role}\` in \`roles/\``,
      'name a role or a playbook file',
    )
  }
  const playbook = join(folder, 'test.yml')
  writeFileSync(playbook, `- name: ${role}\n  hosts: all\n  become: true\n  roles: [${role}]\n`)
  return { playbook, ...companions(join('roles', role)) }
}

function companions(folder: string): Omit<Subject, 'playbook'> {
  const companion = (name: string): string | undefined => {
    const file = join(folder, 'test', name)
    return existsSync(file) ? file : undefined
  }
  return { mutate: companion('mutate.yml'), verify: companion('verify.yml'), vars: companion('vars.yml') }
}

function playbooksOf({ playbook, mutate, verify }: Subject): readonly string[] {
  return [playbook, mutate, verify].filter(file => file !== undefined)
}

/** Puts the host into its groups; before there is a host, it stands for the whole inventory. */
function draftInventory(folder: string, groups: readonly string[]): string {
  const file = join(folder, 'groups.yml')
  const children = groups.map(name => `    ${name}: { hosts: { host1: {} } }\n`).join('')
  writeFileSync(file, `all:\n  hosts: { host1: {} }\n${children && `  children:\n${children}`}`)
  return file
}

type Run = (command: 'apply' | 'drift', playbook: string) => Promise<Ran>

async function prove(
  { playbook, mutate, verify }: Subject,
  words: readonly string[],
): Promise<readonly Proof[]> {
  const proofs: Proof[] = []
  const run: Run = (command, file) =>
    runSelf([command, file, ...words, ...(command === 'apply' ? ['--yes'] : [])])
  const steps: readonly (readonly [string, () => Promise<Failure | undefined>])[] = [
    ['converge: the first run ends well', async () => exitIs(await run('apply', playbook), EXIT.done)],
    ['idempotence: the second run changes nothing', async () => nothingChanged(await run('apply', playbook))],
    ['drift: nothing differs', async () => exitIs(await run('drift', playbook), EXIT.done)],
    ...mutations(playbook, mutate, run),
    ...(verify === undefined
      ? []
      : [
          [
            'verify: the host does what was promised',
            async () => exitIs(await run('apply', verify), EXIT.done),
          ] as const,
        ]),
  ]
  for (const [name, step] of steps) {
    const began = performance.now()
    const failure = await step()
    proofs.push({ name, ms: performance.now() - began, ...(failure ? { failure } : {}) })
    process.stdout.write(`${failure ? '✘' : '✔'} ${name}${failure ? `: ${failure.message}` : ''}\n`)
    if (failure?.stderr) process.stderr.write(failure.stderr)
    // What follows would only tell of the same.
    if (failure) break
  }
  return proofs
}

function mutations(
  playbook: string,
  mutate: string | undefined,
  run: Run,
): readonly (readonly [string, () => Promise<Failure | undefined>])[] {
  if (mutate === undefined) return []
  return [
    ['mutate: the host is broken by hand', async () => exitIs(await run('apply', mutate), EXIT.done)],
    ['drift: the difference is found', async () => exitIs(await run('drift', playbook), EXIT.different)],
    ['repair: the next run ends well', async () => exitIs(await run('apply', playbook), EXIT.done)],
    ['drift: nothing differs any more', async () => exitIs(await run('drift', playbook), EXIT.done)],
  ]
}

function exitIs(ran: Ran, expected: number): Failure | undefined {
  if (ran.exit === expected) return undefined
  const [first] = tasksThat(ran, 'failed')
  const why = first === undefined ? '' : `, ${first}`
  return {
    code: 'UNEXPECTED_EXIT',
    message: `exit status ${ran.exit}, expected ${expected}${why}`,
    stderr: ran.stderr,
  }
}

function nothingChanged(ran: Ran): Failure | undefined {
  const changed = tasksThat(ran, 'changed')
  if (changed.length === 0) return exitIs(ran, EXIT.done)
  return { code: 'NOT_IDEMPOTENT', message: `changed again: ${changed.join('; ')}` }
}

function tasksThat({ events }: Ran, status: string): readonly string[] {
  return events.flatMap(event => {
    if (event.type !== 'task_done' && event.type !== 'handler_done') return []
    if (event.status !== status || event.ignored === true) return []
    return [event.failure ? `${event.task}: ${event.failure.message}` : event.task]
  })
}

/** A proof is a case of the suite, as a task is in the report of a run. */
async function writeJunit(file: string, target: string, proofs: readonly Proof[], ms: number): Promise<void> {
  const reporter = junitReporter({ stream: createWriteStream(file), closes: true })
  for (const event of proofEvents(target, proofs, ms)) reporter.report(event)
  await reporter.end()
}

/** Returns the proofs as the events of a run. */
export function proofEvents(target: string, proofs: readonly Proof[], ms: number): readonly Event[] {
  const stamp = { time: new Date().toISOString(), run: `test ${target}` }
  const where = { host: 'host1', play: target, module: 'test', at: `${target}:1:1` }
  const bodies: readonly EventBody[] = [
    { type: 'run_start', mode: 'apply', playbooks: [target], hosts: ['host1'] },
    ...proofs.map(({ name, ms: took, failure }): EventBody => {
      const outcome = { changes: [], result: {}, ms: took }
      return failure
        ? { type: 'task_done', ...where, task: name, ...outcome, status: 'failed', failure }
        : { type: 'task_done', ...where, task: name, ...outcome, status: 'ok' }
    }),
    {
      type: 'host_done',
      host: 'host1',
      counts: countsOf(proofs),
      frames: 0,
      bytes_sent: 0,
      bytes_received: 0,
      ms,
    },
  ]
  return bodies.map(body => ({ ...body, ...stamp }))
}

function countsOf(proofs: readonly Proof[]): Extract<Event, { type: 'host_done' }>['counts'] {
  const failed = proofs.filter(({ failure }) => failure !== undefined).length
  const none = { changed: 0, would_change: 0, unknown: 0, skipped: 0, unreachable: 0, ignored: 0 }
  return { ...none, ok: proofs.length - failed, failed }
}
