import type { Registered } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import type { Step } from '../plan/step.ts'
import { listOf } from '../plan/settings.ts'
import type { Node } from '../syntax/node.ts'
import { holds } from '../vars/condition.ts'
import type { Scope } from '../vars/scope.ts'
import { failed, type Outcome } from './outcome.ts'

/** Applies `failed_when` and `changed_when`; both see the task's own result. They are not asked where the task did not run. */
export function judge(step: Step, outcome: Outcome, scope: Scope): Outcome {
  const ran =
    outcome.status === 'ok' || outcome.status === 'changed' || outcome.failure?.code === 'COMMAND_FAILED'
  if (!ran) return outcome
  const isFailed = verdict(step.settings.keywords.get('failed_when'), scope)
  if (isFailed === true) {
    const failure = outcome.failure ?? {
      code: 'FAILED_WHEN',
      message: 'failed_when holds',
      ...evidence(outcome.registered),
    }
    return failed(failure, outcome.changes, outcome.registered)
  }
  const forgiven = isFailed === false && outcome.failure ? forgive(outcome) : outcome
  return changedAs(forgiven, verdict(step.settings.keywords.get('changed_when'), scope))
}

/**
 * Returns what `register` holds for the whole task: the result itself, or the list of a loop's results. What was only
 * planned is unknown but for the fields that are certain.
 */
export function registerOf(
  turns: readonly { readonly outcome: Outcome; readonly item: unknown }[],
  isLoop: boolean,
  title: string,
): Registered | Unknown {
  const results = turns.map(({ outcome, item }) => resultOf(outcome, isLoop ? { item } : {}, title))
  if (!isLoop) return results[0] ?? { changed: false, failed: false, skipped: true }
  return {
    changed: anyOf(results, 'changed'),
    failed: anyOf(results, 'failed'),
    skipped: results.length > 0 && results.every(result => fieldOf(result, 'skipped') === true),
    results,
  }
}

function resultOf(outcome: Outcome, more: Registered, title: string): Registered | Unknown {
  const fields = { ...outcome.registered, ...more }
  const isOpen = outcome.status === 'unknown' || outcome.status === 'would_change'
  return isOpen ? new Unknown(outcome.until ?? title, fields) : fields
}

function fieldOf(result: Registered | Unknown, field: string): unknown {
  if (!(result instanceof Unknown)) return result[field]
  return Object.hasOwn(result.known, field) ? result.known[field] : result
}

function anyOf(results: readonly (Registered | Unknown)[], field: string): boolean | Unknown {
  const values = results.map(result => fieldOf(result, field))
  return values.includes(true) || (values.find(value => value instanceof Unknown) ?? false)
}

function verdict(node: Node | undefined, scope: Scope): boolean | undefined {
  if (node === undefined) return undefined
  const verdicts = listOf(node).map(condition => holds(condition, scope))
  if (verdicts.some(one => one instanceof Unknown)) return undefined
  return verdicts.every(one => one === true)
}

/** What was only a look changed nothing, whatever it answered. */
function forgive({ changes, registered }: Outcome): Outcome {
  const isChanged = changes.length > 0
  return {
    status: isChanged ? 'changed' : 'ok',
    changes,
    registered: { ...registered, failed: false, changed: isChanged },
  }
}

function changedAs(outcome: Outcome, isChanged: boolean | undefined): Outcome {
  if (isChanged === undefined || outcome.status === 'failed') return outcome
  return {
    ...outcome,
    status: isChanged ? 'changed' : 'ok',
    registered: { ...outcome.registered, changed: isChanged },
  }
}

function evidence(registered: Registered): { rc?: number; stdout?: string; stderr?: string } {
  const { rc, stdout, stderr } = registered
  return {
    ...(typeof rc === 'number' ? { rc } : {}),
    ...(typeof stdout === 'string' ? { stdout } : {}),
    ...(typeof stderr === 'string' ? { stderr } : {}),
  }
}
