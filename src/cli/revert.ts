import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TaskError, UsageError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Host } from '../inventory/model.ts'
import { backupScript, backupsScript, readBackups, type Backup } from '../shell/backups.ts'
import { EXIT } from './exit.ts'
import { chooseHosts } from './hosts-matching.ts'
import { openInventory, refuseProblems, type OpenInventory } from './inventory.ts'
import { onHosts } from './on-hosts.ts'
import type { PlayFlags, RevertFlags } from './options.ts'
import { play } from './play.ts'

const LOOK_MS = 60_000

/** What a host keeps of a file, and the copy that is wanted. */
interface Kept {
  readonly all: readonly Backup[]
  readonly wanted: Backup | undefined
  readonly content: Buffer | undefined
}

/** Puts a file back as any task would: compared, validated, guarded, and kept itself before it is replaced. Returns the exit status. */
export async function revert(name: string, file: string, flags: RevertFlags): Promise<number> {
  if (!file.startsWith('/') || /[\n\r]|\{\{/.test(file))
    throw new UsageError('BAD_ARGUMENT', `\`${file}\` is not an absolute path`)
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  const hosts = chooseHosts(opened.inventory, name, undefined)
  const [host] = hosts
  if (host === undefined || hosts.length > 1)
    throw new UsageError('BAD_ARGUMENT', `\`${name}\` means ${hosts.length} hosts, expected one`)
  const found: Kept[] = []
  const status = await look(opened, host, file, flags, kept => found.push(kept))
  const [kept] = found
  if (kept === undefined) return status
  if (flags.list) return list(kept.all)
  if (kept.wanted === undefined || kept.content === undefined)
    throw new UsageError(
      'NO_MATCH',
      nothingKept(file, flags.run, kept.all),
      'list what is kept with `--list`',
    )
  return putBack(host.name, file, { ...kept.wanted, content: kept.content }, flags)
}

/** Reads what the host keeps; only root may. */
async function look(
  opened: OpenInventory,
  host: Host,
  file: string,
  flags: RevertFlags,
  take: (kept: Kept) => void,
): Promise<number> {
  return onHosts(opened, [host], { ...flags, become: true }, async ({ session, signal }) => {
    const ask = async (script: ReturnType<typeof backupsScript>): Promise<Completed> => {
      const [answer] = await session.exchange([{ script }], { deadlineMs: LOOK_MS, signal })
      if (answer === undefined) throw new TaskError('NO_ANSWER', 'the host did not answer')
      return answer
    }
    const all = readBackups(await ask(backupsScript(file)))
    const wanted = flags.run === undefined ? all[0] : all.find(({ run }) => run === flags.run)
    const answer = wanted && !flags.list ? await ask(backupScript(wanted.run, file)) : undefined
    const content = answer && Buffer.from(answer.out, answer.encoding)
    if (wanted && content && content.length !== wanted.bytes)
      throw new TaskError('PROBE_UNREADABLE', `${content.length} of ${wanted.bytes} bytes of the copy came`)
    take({ all, wanted, content })
    return EXIT.done
  })
}

function list(all: readonly Backup[]): number {
  for (const { run, mode, uid, gid, bytes } of all)
    process.stdout.write(`${run}  ${mode}  ${uid}:${gid}  ${bytes} bytes\n`)
  return EXIT.done
}

function nothingKept(file: string, run: string | undefined, all: readonly Backup[]): string {
  if (run === undefined || all.length === 0) return `nothing is kept of \`${file}\``
  return `nothing is kept of \`${file}\` from run \`${run}\`; there is ${all.map(one => one.run).join(', ')}`
}

/** The copy passes through a file of ours that nobody else may read. */
async function putBack(
  host: string,
  file: string,
  copy: Backup & { readonly content: Buffer },
  flags: RevertFlags,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-revert-'))
  try {
    const playbook = join(folder, 'revert.yml')
    writeFileSync(join(folder, 'content'), copy.content, { mode: 0o600 })
    writeFileSync(playbook, JSON.stringify([playOf(host, file, copy)]), { mode: 0o600 })
    const whole: PlayFlags = { ...flags, tags: [], skipTags: [], yes: true }
    return await play(flags.check ? 'check' : 'apply', [playbook], whole)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function playOf(host: string, file: string, { run, mode, uid, gid }: Backup): object {
  const copy = { src: 'content', dest: file, mode, owner: uid, group: gid, follow: true }
  const task = { name: `Put back ${file} as it was before run ${run}`, copy }
  return { name: 'revert', hosts: host, become: true, become_user: 'root', tasks: [task] }
}
