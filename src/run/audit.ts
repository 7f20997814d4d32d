import type { Change } from '../base/result.ts'
import type { Redactor } from '../base/secret.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'

/** Who answers for the changes of a run. */
export interface Operator {
  readonly user: string
  readonly controller: string
}

/** What the host's own journal is told of a change. */
export interface AuditEntry extends Operator {
  readonly run: string
  readonly task: string
  readonly module: string
  /** `file:line:col` of the task. */
  readonly at: string
  readonly changes: readonly Pick<Change, 'kind' | 'what'>[]
  /** The task has `no_log`: what changed is not told either. */
  readonly isHidden: boolean
}

/** Finds all entries: `journalctl MESSAGE_ID=…`. */
export const AUDIT_ID = '5d2c1f5e4b8a4f0e9a6d7c3b2a190f84'

const LONGEST_FIELD = 300
const MOST_CHANGES = 20

/**
 * Returns a piece that follows a change in the same frame and writes one entry into the host's journal, with the exit status of the
 * piece before it; where journald does not take fields, a line goes to the system log. It waits for neither, and it never holds a value,
 * only what was changed.
 */
export function auditScript(entry: AuditEntry, redactor: Redactor): Sh {
  const text = (value: string): string => oneLine(redactor.mask(value))
  const { run, task, module, at, user, controller } = entry
  const shown = entry.changes
    .slice(0, MOST_CHANGES)
    .map(({ kind, what }) => (entry.isHidden ? kind : `${kind} ${what}`))
  const message = text(`${task} [${module}]: ${shown.join(', ')}`)
  const fields = [
    `MESSAGE=${message}`,
    `MESSAGE_ID=${AUDIT_ID}`,
    'PRIORITY=5',
    'SYSLOG_IDENTIFIER=msingi',
    `MSINGI_RUN=${run}`,
    `MSINGI_TASK=${text(task)}`,
    `MSINGI_MODULE=${module}`,
    `MSINGI_AT=${text(at)}`,
    `MSINGI_USER=${user}`,
    `MSINGI_CONTROLLER=${controller}`,
    ...shown.map(change => `MSINGI_CHANGE=${text(change)}`),
  ]
  return lines(
    sh`r=$_r; ( printf '%s\\n' ${fields} "MSINGI_STATUS=$r" | logger --journald ||`,
    sh`logger -t msingi -p user.notice -- ${`run ${run} of ${user} on ${controller}: ${message}:`} "status $r" ) >/dev/null 2>&1 &`,
  )
}

/** A line break would begin another field. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const line = text.replaceAll(/[\u0000-\u001F\u007F]+/g, ' ')
  return line.length > LONGEST_FIELD ? `${line.slice(0, LONGEST_FIELD)}…` : line
}
