import { Secret } from '../base/secret.ts'
import type { Action, Content, Download } from '../modules/module.ts'
import type { Carried, Deed } from '../shell/change.ts'
import { jobBase, jobScript } from '../shell/job.ts'
import { journalFolder } from '../shell/journal.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { writeScript } from '../shell/write.ts'
import type { Session } from '../transport/session.ts'
import { downloaded } from './download.ts'

/** How long one task's actions may take on the host: long enough for a distribution upgrade over a slow link. */
export const APPLY_DEADLINE_MS = 3_600_000

/** What writing files and the questions behind it may take on a slow disk. */
const SLACK_MS = 60_000

/**
 * Returns how long the answer to these actions is waited for. The host ends commands by itself when their time is over; this is for a host
 * that does not even manage that.
 */
export function deadlineOf(actions: readonly Action[], seconds: number | undefined): number {
  if (!seconds) return APPLY_DEADLINE_MS
  const commands = actions.filter(action => action.do === 'run').length
  return SLACK_MS + 1000 * commands * (seconds + GRACE_SECONDS)
}

/** Content above this size travels by itself, before the frame that puts it in place. */
const INLINE_LIMIT = 64 * 1024

export interface Ways {
  readonly session: Session
  readonly env: Readonly<Record<string, string>>
  /** Identifier of the run and number of the job within it: names of directories and units. */
  readonly run: string
  readonly job: number
  readonly backupDir: string
  /** The longest each command may take on the host. */
  readonly seconds?: number
  /** What the change may not do twice is called so in the journal; undefined where it may. */
  readonly once: string | undefined
  /** Handlers the change notifies, and the host they are for. */
  readonly owes: readonly string[]
  readonly owedTo: string
  /** Lines that hold once the change is made. */
  readonly settles: readonly string[]
}

/** What `timeout` exits with when it had to end the command. */
export const TIMED_OUT = 124

/** How long a command that was asked to end may take over it before it is killed. */
const GRACE_SECONDS = 10

/** Turns actions into one change that stops at the first that fails; large content is sent ahead. */
export async function prepare(actions: readonly Action[], ways: Ways): Promise<Carried> {
  const file = `${jobBase(ways.run, ways.session.uid)}/${ways.job}`
  const deeds: Deed[] = []
  for (const action of actions) {
    if (action.do === 'keep' || action.do === 'reboot') continue
    if (action.do === 'write') deeds.push({ script: await write(action, ways) })
    else if (action.detached === false)
      deeds.push({ script: brief(bounded(action, ways), { ...ways.env, ...action.env }) })
    else deeds.push(job(bounded(action, ways), file, deeds.length, ways))
  }
  const isOnce = ways.once !== undefined && deeds.some(deed => 'job' in deed)
  const begin = isOnce ? { time: new Date().toISOString(), what: ways.once } : undefined
  return {
    run: ways.run,
    change: ways.job,
    file,
    deeds,
    journal: {
      folder: journalFolder(ways.session.uid),
      host: ways.owedTo,
      owes: ways.owes,
      settles: ways.settles,
      begin,
    },
  }
}

/** Returns the commands as a person may see them; contents and standard input are left out. */
export function commandOf(actions: readonly Action[]): string {
  return actions
    .map(action => {
      if (action.do === 'reboot') return action.command.text
      return action.do === 'run' ? action.script.text : `${action.do} ${action.path}`
    })
    .join('\n')
}

function bounded(action: Action & { do: 'run' }, { seconds }: Ways): Action & { do: 'run' } {
  if (seconds === undefined || seconds === 0) return action
  return { ...action, script: sh`timeout -k ${GRACE_SECONDS} ${seconds} sh -c ${action.script.text}` }
}

function job(action: Action & { do: 'run' }, file: string, index: number, ways: Ways): Deed {
  const dir = `${file}.${index}`
  const { script, stdin } = action
  const unit = `msingi-${ways.run}-${ways.job}-${index}`
  const env = { ...ways.env, ...action.env }
  return {
    job: dir,
    script: jobScript({ dir, script, unit, env, ...(stdin === undefined ? {} : { stdin }) }),
  }
}

/** A command that ends at once runs in the frame itself. */
function brief(action: Action & { do: 'run' }, env: Readonly<Record<string, string>>): Sh {
  const exports = Object.entries(env).map(([name, value]) => sh`export ${name}=${value}`)
  const script = lines(...exports, action.script)
  const stdin = revealed(action.stdin)
  return stdin === undefined ? script : sh`printf %s ${stdin} | (\n${script}\n)`
}

async function write(action: Action & { do: 'write' }, ways: Ways): Promise<Sh> {
  const { path, follow, mode, owner, group, validate } = action
  return writeScript({
    path,
    follow,
    content: await inlineOrStaged(action.content, ways.session),
    mode,
    owner,
    group,
    validate,
    backup: action.backup === true ? ways.backupDir : undefined,
    // What a secret was before is a secret, too, and is not left lying about.
    spare: ways.session.uid === 0 && !(action.content instanceof Secret) ? ways.backupDir : undefined,
  })
}

async function inlineOrStaged(
  content: Content | Download,
  session: Session,
): Promise<string | Uint8Array | { staged: string }> {
  const data =
    content instanceof Secret
      ? content.reveal()
      : typeof content === 'object' && 'sha256' in content
        ? content.content()
        : typeof content === 'object' && 'url' in content
          ? await downloaded(content)
          : content
  if (data.length <= INLINE_LIMIT) return data
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
  return { staged: await session.upload(bytes, { deadlineMs: APPLY_DEADLINE_MS }) }
}

function revealed(stdin: string | Secret | undefined): string | undefined {
  return stdin instanceof Secret ? stdin.reveal() : stdin
}
