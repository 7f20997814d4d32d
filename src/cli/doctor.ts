import { ConnectError, DeadlineError, TaskError } from '../base/error.ts'
import { Redactor } from '../base/secret.ts'
import type { Host } from '../inventory/model.ts'
import { neededTools, someoneBecomes, type NeededTool } from '../plan/tools.ts'
import type { Project } from '../plan/step.ts'
import { healthScript, parseHealth } from '../probes/health.ts'
import { paletteFor, type Palette } from '../report/palette.ts'
import { pad, printableLine } from '../report/printable.ts'
import { duration } from '../report/quantity.ts'
import { findings, type Finding } from '../run/health.ts'
import { describe } from '../run/host-lock.ts'
import { inParallel } from '../run/parallel.ts'
import { holderScript, lockFolder, readHolder } from '../shell/lock.ts'
import { sh, type Sh } from '../shell/sh.ts'
import type { Connect, Connection, Session } from '../transport/session.ts'
import { connecting } from './connecting.ts'
import { EXIT, worst } from './exit.ts'
import { chooseHosts } from './hosts-matching.ts'
import { interruptible } from './interrupt.ts'
import { openInventory, refuseProblems, type OpenInventory } from './inventory.ts'
import { becomeOf } from './on-hosts.ts'
import type { DoctorFlags } from './options.ts'
import { becomePassword } from './password.ts'
import { openProject } from './project.ts'

/**
 * Looks at hosts before anything is changed: the way to them, who one is there, room, clock, packages, what earlier runs left. Changes nothing.
 * Returns 0, or 1 where something fails that changes need, or 3 where a host cannot be reached.
 */
export async function doctor(files: readonly string[], flags: DoctorFlags): Promise<number> {
  const { opened, hosts, project } = patients(files, flags)
  const password = await becomePassword(flags, process.env)
  const redactor = new Redactor()
  if (password) redactor.add(password)
  const { signal, release } = interruptible(say)
  const connect = connecting(opened, flags, password, say)
  const statuses: number[] = []
  const tell = flags.output === 'json' ? jsonText : plainText
  try {
    await inParallel(hosts, flags.forks, async host => {
      if (signal.aborted) return
      const found = await examine({ host, flags, project, connect, signal })
      if (signal.aborted) return
      process.stdout.write(redactor.mask(tell(host.name, found)))
      statuses.push(statusOf(found))
    })
  } finally {
    release()
  }
  return signal.aborted ? EXIT.interrupted : worst(statuses)
}

interface Patients {
  readonly opened: OpenInventory
  readonly hosts: readonly Host[]
  readonly project: Project | undefined
}

function patients(files: readonly string[], flags: DoctorFlags): Patients {
  if (files.length === 0) {
    const opened = openInventory(flags, [], process.env)
    refuseProblems(opened)
    return { opened, hosts: chooseHosts(opened.inventory, 'all', flags.limit), project: undefined }
  }
  const opened = openProject(files, { ...flags, tags: [], skipTags: [] }, process.env)
  const names = new Set(opened.project.plays.flatMap(play => play.hosts))
  const hosts = [...opened.inventory.hosts.values()].filter(host => names.has(host.name))
  return { opened, hosts, project: opened.project }
}

interface Patient {
  readonly host: Host
  readonly flags: DoctorFlags
  readonly project: Project | undefined
  readonly connect: Connect
  readonly signal: AbortSignal
}

/** A finding that ends the examination of the host has the stage at which it was lost. */
type Found = Finding & { readonly isEnd?: true }

/** What each stage of a connection is about, in the order in which they come. */
const STAGES = {
  config: 'reach',
  dns: 'reach',
  tcp: 'reach',
  hostkey: 'host key',
  auth: 'login',
  channel: 'shell',
  shell: 'shell',
  become: 'become',
  protocol: 'shell',
  lost: 'reach',
} as const

async function examine(patient: Patient): Promise<readonly Found[]> {
  const { host, connect, signal } = patient
  const began = performance.now()
  const found: Found[] = []
  const connection = connect(host.name, signal)
  try {
    const open = await connection
    const session = await open.shell(undefined)
    found.push(...arrived(session, performance.now() - began))
    const worker = await become(open, session, patient, found)
    found.push(...(await look(worker, patient)))
  } catch (error) {
    found.push({ ...lossOf(error), isEnd: true })
  } finally {
    await connection.then(
      open => open.close(),
      () => undefined,
    )
  }
  return found
}

function arrived({ login, user, uid, warnings }: Session, ms: number): readonly Found[] {
  const key = login?.key === undefined ? '' : ` with ${login.key}`
  return [
    { level: 'ok', about: 'reach', message: `in ${duration(ms)}` },
    ...(login === undefined
      ? []
      : ([
          { level: 'ok', about: 'host key', message: 'it is the one that is known' },
          { level: 'ok', about: 'login', message: `${login.user}${key}` },
        ] as const)),
    { level: 'ok', about: 'shell', message: `${user}, uid ${uid}` },
    ...warnings.map(message => ({
      level: 'warn' as const,
      about: 'shell',
      message,
      hint: 'keep the start-up files of the login shell quiet where there is no terminal',
    })),
  ]
}

/** Returns the shell of root where it can be had. That it cannot counts as a failure only where it is asked for. */
async function become(
  open: Connection,
  session: Session,
  { host, flags, project }: Patient,
  found: Found[],
): Promise<Session> {
  const isTasks = project !== undefined && someoneBecomes(project, host.name)
  const wanted = becomeOf(host, isTasks ? { ...flags, become: true } : flags)
  if (wanted === undefined && session.uid === 0) return session
  const target = wanted ?? { user: 'root', method: flags.becomeMethod ?? 'sudo' }
  try {
    const worker = await open.shell(target)
    found.push({ level: 'ok', about: 'become', message: `${target.user} by ${target.method}` })
    return worker
  } catch (error) {
    if (!(error instanceof ConnectError) || error.stage !== 'become') throw error
    const { about, message, hint = 'give `-K`, or let the user become root' } = lossOf(error)
    found.push({ level: wanted ? 'fail' : 'warn', about, message, hint })
    return session
  }
}

const LOOK_MS = 60_000

async function look(session: Session, { host, project, signal }: Patient): Promise<readonly Found[]> {
  const tools = [...EVERY_TOOL, ...(project ? neededTools(project, host.name) : [])]
  const parts = [healthScript(session.uid), holderScript(lockFolder(session.uid)), toolScript(tools)]
  const [health, holder, there] = await session.exchange(
    parts.map(script => ({ script })),
    { deadlineMs: LOOK_MS, signal },
  )
  const seen = parseHealth(health?.out ?? '')
  return [
    ...toolFindings(tools, there?.out ?? ''),
    ...findings(seen, seen.epoch - Date.now() / 1000),
    holderFinding(holder?.out ?? ''),
  ]
}

/** What the engine itself runs; without the second sort it does with less. */
const BARE: readonly string[] = [
  'cat chmod chown cp cut dd find grep head id ln ls mkdir mkfifo mktemp mv readlink rm sed sh sha256sum sleep stat tail touch tr wc',
].flatMap(names => names.split(' '))
const EVERY_TOOL: readonly NeededTool[] = [
  ...BARE.map(name => ({ names: [name], modules: ['msingi'] })),
  { names: ['flock'], modules: ['locks'] },
  { names: ['timeout'], modules: ['`timeout:` of tasks'] },
  { names: ['logger'], modules: ['the entries in the journal'] },
  { names: ['systemd-run', 'setsid'], modules: ['changes that outlive the link'] },
]

function toolScript(tools: readonly NeededTool[]): Sh {
  const names = [...new Set(tools.flatMap(tool => tool.names))]
  return sh`for t in ${names}; do ! command -v $t >/dev/null || echo $t; done`
}

function toolFindings(tools: readonly NeededTool[], out: string): readonly Found[] {
  const there = new Set(out.split('\n'))
  const missing = tools.filter(({ names }) => !names.some(name => there.has(name)))
  if (missing.length === 0) return [{ level: 'ok', about: 'tools', message: 'all there' }]
  return missing.map(({ names, modules }) => ({
    level: modules.includes('msingi') ? 'fail' : 'warn',
    about: 'tools',
    message: `${names.map(name => `\`${name}\``).join(' or ')} is missing, for ${modules.join(', ')}`,
    hint: 'install it, unless a task before does',
  }))
}

function holderFinding(out: string): Found {
  const holder = readHolder(out)
  if (holder === undefined) return { level: 'ok', about: 'lock', message: 'nobody works here' }
  return { level: 'warn', about: 'lock', message: describe(holder), hint: 'wait for it' }
}

/** @throws what is no matter of the host. */
function lossOf(error: unknown): Found {
  if (error instanceof ConnectError) {
    const { stage, message, hint = 'see `docs/errors.md`' } = error
    return { level: 'fail', about: STAGES[stage], message, hint }
  }
  if (error instanceof DeadlineError || error instanceof TaskError) {
    const hint = 'look what hangs on the host: a mount whose server is gone, a full disk'
    return { level: 'fail', about: 'answers', message: error.message, hint }
  }
  throw error
}

function statusOf(found: readonly Found[]): number {
  if (found.some(one => one.isEnd)) return EXIT.unreachable
  return found.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.done
}

function jsonText(host: string, found: readonly Found[]): string {
  const told = found.map(({ level, about, message, hint }) => ({ level, about, message, hint }))
  return `${JSON.stringify({ host, findings: told })}\n`
}

/** On a terminal a block for each host, else one finding a line. */
function plainText(host: string, found: readonly Found[]): string {
  if (!process.stdout.isTTY)
    return found
      .map(({ level, about, message, hint }) =>
        [host, level, about, message, ...(hint === undefined ? [] : [hint])].map(printableLine).join('\t'),
      )
      .map(line => `${line}\n`)
      .join('')
  const palette = paletteFor(process.stdout, process.env)
  const lines = found.flatMap(one => blockLines(one, palette))
  return [palette.strong(printableLine(host)), ...lines].map(line => `${line}\n`).join('')
}

function blockLines({ level, about, message, hint }: Found, palette: Palette): readonly string[] {
  const colour = { ok: palette.good, warn: palette.changed, fail: palette.bad }[level]
  return [
    `  ${colour(pad(level, 5))} ${pad(about, 10)} ${printableLine(message)}`,
    ...(hint === undefined ? [] : [`${' '.repeat(19)}${palette.faint(printableLine(hint))}`]),
  ]
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
