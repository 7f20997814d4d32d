import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeInventory } from '../../../scripts/hosts/host.ts'
import type { Event } from '../../../src/base/event.ts'
import { EXIT } from '../../../src/cli/exit.ts'
import { ROOT } from '../../support/source-tree.ts'
import type { LiveHost } from './hosts.ts'

export interface Ran {
  readonly exit: number
  readonly events: readonly Event[]
  readonly stderr: string
}

/** Writes an inventory of the hosts into a folder of its own and returns its path. */
export function inventoryOf(
  hosts: readonly LiveHost[],
  groups: Readonly<Record<string, readonly string[]>> = {},
): string {
  const file = join(mkdtempSync(join(tmpdir(), 'msingi-inventory-')), 'hosts.yml')
  writeInventory(file, hosts, groups)
  return file
}

/** Runs the command line in a process of its own, with NDJSON on its standard output. */
export function msingi(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const command = [join(ROOT, 'bin/msingi.js'), ...args, '--output', 'json']
    execFile(
      process.execPath,
      command,
      { cwd: ROOT, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const exit = error === null ? 0 : error.code
        if (typeof exit !== 'number') reject(error ?? new Error('no exit status'))
        else if (exit === EXIT.bug) reject(new Error(`a bug of ours: ${stderr}`))
        else resolve({ exit, events: eventsIn(stdout), stderr })
      },
    )
  })
}

/** Returns the events of one type. */
export function eventsOf<T extends Event['type']>(ran: Ran, type: T): readonly Extract<Event, { type: T }>[] {
  return ran.events.filter((event): event is Extract<Event, { type: T }> => event.type === type)
}

/** Returns `host: task` of all tasks and handlers that ended so, in order. */
export function tasksThat(ran: Ran, status: string): readonly string[] {
  return [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')]
    .filter(event => event.status === status)
    .map(event => `${event.host}: ${event.task}`)
}

/** Returns `host: task: why` of all failures that no `rescue` or `ignore_errors` took care of. */
export function failures(ran: Ran): readonly string[] {
  return [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')]
    .filter(({ status, ignored }) => (status === 'failed' || status === 'unreachable') && ignored !== true)
    .map(({ host, task, failure }) => `${host}: ${task}: ${failure?.message ?? 'no reason given'}`)
}

const NOT_KEPT = String.raw`\( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /var/log -o -path /var/lib/systemd \
  -o -path /home/ops/.cache -o -name 'systemd-private-*' \) -prune`

/**
 * A script that prints one hash of the names, owners, permissions, times and contents of everything that persists on a host, what
 * logging in itself writes left out, and what systemd gives to the services it starts to answer.
 */
export const FILE_SYSTEM_HASH = String.raw`find / -xdev ${NOT_KEPT} -o \( -path /tmp -o -path /var/tmp \) -printf '%p %m %u %g\n' \
    -o -printf '%p %m %u %g %s %T@ %l\n' | sort > /run/names
  find / -xdev ${NOT_KEPT} -o -type f -print0 | xargs -0 sha256sum | sort > /run/sums
  cat /run/names /run/sums | sha256sum`

function eventsIn(ndjson: string): readonly Event[] {
  return ndjson
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Event)
}
