import { rowsOf } from './_line-edit.ts'

/** A job or a variable of a table of cron. */
export interface CronEntry {
  readonly sort: 'job' | 'variable'
  readonly name: string
  /** Null to remove it. */
  readonly line: string | null
}

/** The comment by which a job is found again; Ansible's, so that jobs it made are known. */
const MARKER = '#Ansible: '

/** Returns the line of the entry, or null where the table has none. */
export function cronLine(table: string, entry: Pick<CronEntry, 'sort' | 'name'>): string | null {
  const rows = rowsOf(table)
  const at = placeOf(rows, entry)
  return at === -1 ? null : (rows[at] ?? '').trimEnd()
}

/** Returns the table with the entry as it should be; all else stays as it stands. */
export function withEntry(table: string, entry: CronEntry): string {
  const rows = [...rowsOf(table)]
  const at = placeOf(rows, entry)
  const { sort, line } = entry
  if (at === -1) return line === null ? table : added(table, entry, line)
  const isLast = sort === 'job' && at === rows.length
  if (line === null) rows.splice(sort === 'job' ? at - 1 : at, sort === 'job' ? 2 : 1)
  else if (isLast) rows.push(`${line}\n`)
  else rows[at] = `${line}\n`
  return rows.join('')
}

/** A job's line follows its marker; one whose marker is the last line is not there yet, but has its place. */
function placeOf(rows: readonly string[], { sort, name }: Pick<CronEntry, 'sort' | 'name'>): number {
  if (sort === 'variable') return rows.findIndex(row => new RegExp(`^${name}\\s*=`).test(row))
  const marker = rows.findIndex(row => row.trimEnd() === `${MARKER}${name}`)
  return marker === -1 ? -1 : marker + 1
}

function added(table: string, { sort, name }: CronEntry, line: string): string {
  if (sort === 'variable') return `${line}\n${table}`
  const ended = table === '' || table.endsWith('\n') ? table : `${table}\n`
  return `${ended}${MARKER}${name}\n${line}\n`
}
