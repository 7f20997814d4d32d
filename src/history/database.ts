import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** How long a process waits for another one that writes. */
const BUSY_MS = 5000

/** Opens a project's history, makes the table where it is missing, and closes it when the work is done. */
export function within<T>(file: string, tables: string, work: (database: DatabaseSync) => T): T {
  const database = open(file, tables)
  try {
    return work(database)
  } finally {
    database.close()
  }
}

/** Opens a project's history for longer. Nobody else may read it: it tells how hosts are made. */
export function open(file: string, tables: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: BUSY_MS })
  database.exec(tables)
  return database
}
