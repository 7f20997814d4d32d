import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { ConnectError, UsageError } from '../base/error.ts'
import type { Host } from '../inventory/model.ts'
import { paletteFor } from '../report/palette.ts'
import { printableLine } from '../report/printable.ts'
import { inParallel } from '../run/parallel.ts'
import { makeHostKeyScan } from '../transport/connect.ts'
import type { HostKeys } from '../transport/connect.ts'
import { lookupName, pinKeys } from '../transport/known-hosts.ts'
import { complaint } from './complain.ts'
import { connectSetup, knownHostsFiles } from './connecting.ts'
import { EXIT, worst } from './exit.ts'
import { chooseHosts } from './hosts-matching.ts'
import { interruptible } from './interrupt.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import type { TrustFlags } from './options.ts'

interface Scanned {
  readonly host: Host
  readonly found: HostKeys
}

/**
 * Shows the keys of hosts and, where the person agrees, makes them known to the project. Keys that are known already
 * are left alone; a changed key needs `--replace`.
 */
export async function trust(pattern: string, flags: TrustFlags): Promise<number> {
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  const hosts = chooseHosts(opened.inventory, pattern, flags.limit)
  const file = flags.knownHosts ?? knownHostsFiles(opened.from)[0] ?? 'known_hosts'
  const setup = {
    ...connectSetup(opened, flags, undefined, say),
    ...(flags.knownHosts === undefined ? {} : { projectKnownHosts: [flags.knownHosts] }),
  }
  const remote = hosts.filter(({ reach }) => reach.connection === 'ssh')
  const { scanned, statuses } = await scan(remote, makeHostKeyScan(setup), flags.forks)
  const fresh = scanned.filter(one => isFresh(one, flags.replace === true))
  const refused = scanned.filter(one => isRefused(one, flags.replace === true))
  process.stdout.write(
    scanned
      .flatMap(linesOf)
      .map(line => `${line}\n`)
      .join(''),
  )
  if (refused.length > 0) statuses.push(EXIT.failed)
  if (fresh.length === 0) return worst(statuses)
  if (!flags.yes && !(await agreed(fresh.length, file))) return worst([...statuses, EXIT.failed])
  write(file, fresh, flags.replace === true)
  say(`${fresh.length === 1 ? '1 host is' : `${fresh.length} hosts are`} now known in ${file}`)
  return worst(statuses)
}

async function scan(
  hosts: readonly Host[],
  look: ReturnType<typeof makeHostKeyScan>,
  forks: number,
): Promise<{ scanned: readonly Scanned[]; statuses: number[] }> {
  const { signal, release } = interruptible(say)
  const scanned: Scanned[] = []
  const statuses: number[] = []
  try {
    await inParallel(hosts, forks, async host => {
      if (signal.aborted) return
      try {
        scanned.push({ host, found: await look(host.name, signal) })
      } catch (error) {
        if (!signal.aborted && !(error instanceof ConnectError)) throw error
        statuses.push(signal.aborted ? EXIT.interrupted : EXIT.unreachable)
        if (!signal.aborted)
          process.stderr.write(complaint(error, paletteFor(process.stderr, process.env)).text)
      }
    })
  } finally {
    release()
  }
  const order = new Map(hosts.map(({ name }, index) => [name, index]))
  scanned.sort((a, b) => (order.get(a.host.name) ?? 0) - (order.get(b.host.name) ?? 0))
  return { scanned, statuses }
}

type State = 'known' | 'new' | 'changed' | 'revoked' | 'further'

/** A key of a type of which none is known is no change where the host shows a known key too: it has several. */
function stateOf({ found }: Scanned, key: HostKeys['keys'][number]): State {
  const { verdict } = key
  if (verdict.is === 'match') return 'known'
  if (verdict.is === 'revoked') return 'revoked'
  if (verdict.is !== 'changed') return 'new'
  const isSameType = verdict.known.some(entry => entry.type === key.type)
  return !isSameType && found.keys.some(other => other.verdict.is === 'match') ? 'further' : 'changed'
}

function statesOf(scanned: Scanned): readonly State[] {
  return scanned.found.keys.map(key => stateOf(scanned, key))
}

function isFresh(scanned: Scanned, replace: boolean): boolean {
  const states = statesOf(scanned)
  if (states.includes('revoked')) return false
  return states.includes('changed') ? replace : states.includes('new')
}

function isRefused(scanned: Scanned, replace: boolean): boolean {
  const states = statesOf(scanned)
  return states.includes('revoked') || (states.includes('changed') && !replace)
}

function linesOf(scanned: Scanned): readonly string[] {
  const { host, found } = scanned
  return found.keys.map(key => {
    const address = lookupName(found.name)
    const word = WORDS[stateOf(scanned, key)]
    return [host.name, address, key.type, key.fingerprint, word].map(printableLine).join('\t')
  })
}

const WORDS: Readonly<Record<State, string>> = {
  known: 'known',
  new: 'new',
  changed: 'CHANGED, another key is known; see --replace',
  revoked: 'REVOKED',
  further: 'a further key',
}

async function agreed(count: number, file: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const hint = 'compare the fingerprints with those of the hosts, then give --yes'
    throw new UsageError('BAD_OPTION', 'there is no terminal to ask at', hint)
  }
  const line = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const whom = count === 1 ? 'this host' : `these ${count} hosts`
    const answer = await line.question(
      `Trust ${whom} from now on (${file})? Compare the fingerprints first. [y/N] `,
    )
    return /^y(?:es)?$/i.test(answer.trim())
  } finally {
    line.close()
  }
}

/** The file is replaced as a whole, so that a crash leaves the old one. */
function write(file: string, fresh: readonly Scanned[], replace: boolean): void {
  let text = readOr(file)
  for (const { found } of fresh) {
    const keys = found.keys.map(({ key }) => key)
    text = pinKeys(text, found.name, keys, { replace })
  }
  mkdirSync(dirname(file), { recursive: true })
  const part = `${file}.part`
  const fd = openSync(part, 'w', 0o644)
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(part, file)
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw new UsageError('BAD_OPTION', `\`${file}\` cannot be read`)
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
