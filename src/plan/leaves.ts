import type { PlanItem, Step } from './step.ts'

/** Yields the tasks in the order in which they run when nothing fails and nothing is skipped. */
export function* leaves(items: readonly PlanItem[]): Generator<Step> {
  for (const item of items) {
    if (item.kind === 'task') yield item
    if (item.kind === 'block') {
      yield* leaves(item.body)
      yield* leaves(item.always)
    }
  }
}

/** Yields every task, those of `rescue` included. */
export function* allTasks(items: readonly PlanItem[]): Generator<Step> {
  for (const item of items) {
    if (item.kind === 'task') yield item
    if (item.kind !== 'block') continue
    yield* allTasks(item.body)
    yield* allTasks(item.rescue)
    yield* allTasks(item.always)
  }
}
