import { within } from './database.ts'

/** What history knows of a drill; the record holds the rest. */
export interface KeptDrill {
  readonly id: string
  readonly drill: string
  readonly lab: string
  readonly host: string
  /** ISO 8601 in UTC. */
  readonly started: string
  readonly verdict: 'passed' | 'failed' | 'inconclusive'
  readonly reason: string
}

const TABLE = `create table if not exists drills (
  id text primary key,
  drill text not null,
  lab text not null,
  host text not null,
  started text not null,
  verdict text not null,
  reason text not null,
  record text not null
) strict`

/** Keeps the record of a drill in the project's history. */
export function keepDrill(file: string, drill: KeptDrill): void {
  within(file, TABLE, database => {
    const { id, drill: name, lab, host, started, verdict, reason } = drill
    database
      .prepare('insert into drills values (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(id, name, lab, host, started, verdict, reason, JSON.stringify(drill))
  })
}

/** Returns the last drills, newest first. */
export function lastDrills(file: string, count: number): readonly KeptDrill[] {
  return within(file, TABLE, database =>
    database
      .prepare('select record from drills order by started desc, id desc limit ?')
      .all(count)
      .map(row => JSON.parse(String(row['record'])) as KeptDrill),
  )
}
