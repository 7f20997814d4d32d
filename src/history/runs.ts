import { chmodSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Event, HostCounts, Mode, Reporter } from '../base/event.ts'
import type { Change, Failure, Shown, Status } from '../base/result.ts'
import { open, within } from './database.ts'

/** Where the project's texts stood in their version control. */
export interface Version {
  readonly commit: string
  /** Something differs from the commit, or is not in it. */
  readonly isDirty: boolean
}

/** What is known of a run before it begins. */
export interface RunHead {
  readonly id: string
  readonly mode: Mode
  /** The words of the command line; values that may be secret left out. */
  readonly command: readonly string[]
  readonly playbooks: readonly string[]
  readonly inventory: readonly string[]
  readonly version: Version | undefined
  readonly user: string
  readonly controller: string
  /** ISO 8601 in UTC. */
  readonly started: string
}

export interface KeptRun extends RunHead {
  /** Undefined while it goes on, and where it was killed. */
  readonly exit: number | undefined
  readonly ms: number | undefined
  readonly counts: HostCounts | undefined
}

export interface KeptHost {
  readonly host: string
  readonly counts: HostCounts
  readonly frames: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly ms: number
  readonly failure: Failure | undefined
}

/** A task that changed, would change, failed, or was lost on a host. */
export interface KeptTask {
  readonly host: string
  readonly task: string
  readonly module: string
  readonly at: string
  readonly status: Status
  readonly changes: readonly Change[]
  readonly failure: Pick<Failure, 'code' | 'message'> | undefined
}

const TABLES = `
create table if not exists runs (
  id text primary key, mode text not null, started text not null, head text not null,
  exit integer, ms integer, counts text
) strict;
create table if not exists run_hosts (
  run text not null, host text not null, record text not null, primary key (run, host)
) strict;
create table if not exists run_tasks (
  run text not null, host text not null, record text not null
) strict;
create index if not exists run_tasks_by_run on run_tasks (run);`

/** Texts longer than this are kept by their beginning: history says what changed, the project has the contents. */
const LONGEST_TEXT = 200

/** Each write waits for the disk, so what comes within this time is written together. */
const TOGETHER_MS = 1000

/**
 * Writes down a run as its events come, so that a killed one is there as far as it came, but for the last second. Takes masked events
 * only.
 *
 * @throws where the file cannot be written; so does what it returns.
 */
export function keepRun(file: string, head: RunHead): Reporter {
  const database = open(file, TABLES)
  chmodSync(file, 0o600)
  database
    .prepare('insert into runs (id, mode, started, head) values (?, ?, ?, ?)')
    .run(head.id, head.mode, head.started, JSON.stringify(head))
  let waiting: Kept[] = []
  let written = performance.now()
  return {
    report(event) {
      if (!isKept(event)) return
      waiting.push(event)
      if (event.type !== 'run_done' && performance.now() - written < TOGETHER_MS) return
      const events = waiting
      waiting = []
      written = performance.now()
      together(database, () => {
        for (const one of events) write(database, head.id, one)
      })
    },
    end() {
      database.close()
      return Promise.resolve()
    },
  }
}

type Kept = Extract<Event, { type: 'task_done' | 'handler_done' | 'host_done' | 'run_done' }>

function isKept(event: Event): event is Kept {
  if (event.type === 'task_done' || event.type === 'handler_done')
    return event.status !== 'ok' && event.status !== 'skipped'
  return event.type === 'host_done' || event.type === 'run_done'
}

function together(database: DatabaseSync, work: () => void): void {
  database.exec('begin immediate')
  try {
    work()
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

function write(database: DatabaseSync, run: string, event: Kept): void {
  if (event.type === 'run_done') {
    const update = database.prepare('update runs set exit = ?, ms = ?, counts = ? where id = ?')
    update.run(event.exit, event.ms, JSON.stringify(event.counts), run)
  } else if (event.type === 'host_done') {
    const insert = database.prepare('insert or replace into run_hosts values (?, ?, ?)')
    insert.run(run, event.host, JSON.stringify(keptHost(event)))
  } else {
    const insert = database.prepare('insert into run_tasks values (?, ?, ?)')
    insert.run(run, event.host, JSON.stringify(keptTask(event)))
  }
}

function keptTask(event: Extract<Event, { type: 'task_done' | 'handler_done' }>): KeptTask {
  const { host, task, module, at, status, changes, failure } = event
  return {
    host,
    task,
    module,
    at,
    status,
    changes: changes.map(change => ({
      ...change,
      before: shortened(change.before),
      after: shortened(change.after),
    })),
    failure: failure && { code: failure.code, message: failure.message },
  }
}

function shortened(value: Shown): Shown {
  return typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value
}

function keptHost(event: Extract<Event, { type: 'host_done' }>): KeptHost {
  const { host, counts, frames, ms, failure } = event
  return {
    host,
    counts,
    frames,
    bytesSent: event.bytes_sent,
    bytesReceived: event.bytes_received,
    ms,
    failure,
  }
}

/** Returns the last runs, newest first. */
export function lastRuns(file: string, count: number): readonly KeptRun[] {
  return within(file, TABLES, database =>
    database.prepare('select * from runs order by started desc, rowid desc limit ?').all(count).map(keptRun),
  )
}

/** Returns the runs whose identifier begins so; the identifier itself is always enough. */
export function runsNamed(file: string, start: string): readonly KeptRun[] {
  return within(file, TABLES, database =>
    database
      .prepare('select * from runs where substr(id, 1, length(?1)) = ?1 order by started, rowid')
      .all(start)
      .map(keptRun),
  )
}

/** Returns what happened in a run, host by host. */
export function detailsOf(
  file: string,
  run: string,
): { readonly hosts: readonly KeptHost[]; readonly tasks: readonly KeptTask[] } {
  const records = (database: DatabaseSync, table: 'run_hosts' | 'run_tasks'): unknown[] =>
    database
      .prepare(`select record from ${table} where run = ? order by rowid`)
      .all(run)
      .map(row => JSON.parse(String(row['record'])) as unknown)
  return within(file, TABLES, database => ({
    hosts: records(database, 'run_hosts') as KeptHost[],
    tasks: records(database, 'run_tasks') as KeptTask[],
  }))
}

function keptRun(row: Readonly<Record<string, unknown>>): KeptRun {
  const { exit, ms, counts } = row
  return {
    ...(JSON.parse(String(row['head'])) as RunHead),
    exit: typeof exit === 'number' ? exit : undefined,
    ms: typeof ms === 'number' ? ms : undefined,
    counts: typeof counts === 'string' ? (JSON.parse(counts) as HostCounts) : undefined,
  }
}
