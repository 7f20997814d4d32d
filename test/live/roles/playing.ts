import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventsOf, msingi, type Ran } from '../support/msingi.ts'

/** Returns what runs one role on hosts of an inventory, with parameters that may differ from run to run. */
export function player(
  role: string,
  inventory: string,
  hosts = 'all',
): (command: 'apply' | 'plan' | 'drift', params?: object) => Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-role-'))
  return (command, params = {}) => {
    const playbook = join(folder, 'site.yml')
    writeFileSync(playbook, JSON.stringify([{ hosts, become: true, roles: [{ role, ...params }] }]))
    return msingi(command, playbook, '-i', inventory)
  }
}

/** Returns `task: what` of every difference, in order. */
export function differences(ran: Ran): readonly string[] {
  return eventsOf(ran, 'task_done').flatMap(({ task, status, changes }) =>
    status === 'would_change' ? (changes ?? []).map(({ what }) => `${task}: ${what}`) : [],
  )
}

/** Returns a variable as the last task that set it left it. */
export function setBy(ran: Ran, name: string): unknown {
  const values = eventsOf(ran, 'task_done').flatMap(({ result }) => {
    const facts = result?.['ansible_facts']
    return typeof facts === 'object' && facts !== null && name in facts
      ? [(facts as Record<string, unknown>)[name]]
      : []
  })
  return values.at(-1)
}
