import { SourceError, type OnProblem } from '../base/error.ts'
import { hostNamed, type Inventory } from '../inventory/model.ts'
import type { Keywords } from '../playbook/model.ts'
import type { Node } from '../syntax/node.ts'
import { allTasks } from './leaves.ts'
import { inMap } from './settings.ts'
import type { PlannedPlay } from './step.ts'

/** Keywords of the grammar that nothing acts on, with what to do. To pass over one in silence would be a lie to its author. */
export const NOT_CARRIED_OUT: Readonly<Record<string, string>> = {
  async: 'take it out; every change is a job that outlives the connection, give it more time with `timeout`',
  poll: 'take it out; the output of a job is shown as it comes',
  become_flags: 'take it out; let the configuration of `sudo`, `su` or `doas` say what the user may do',
  become_exe: 'take it out; put the program on the path of the host, and choose it with `become_method`',
  any_errors_fatal: 'write it at the play; a failure of any of its tasks counts',
  break_when: 'take it out; give the loop the items that are needed, or let `when` choose them',
  fact_path:
    'take it out; read the file with a `command` that says `reads: true`, or keep the value in the inventory',
}

/** How hosts are reached is said in the inventory; where a play says the same it is right. */
const SAID_BY_INVENTORY: Readonly<
  Record<string, { readonly setting: 'connection' | 'port' | 'user'; readonly hint: string }>
> = {
  connection: {
    setting: 'connection',
    hint: 'write `connection:` at the host or its group in the inventory, or `delegate_to: localhost` at the task',
  },
  port: { setting: 'port', hint: 'write `ssh: { port: … }` at the host or its group in the inventory' },
  remote_user: {
    setting: 'user',
    hint: 'write `ssh: { user: … }` at the host or its group in the inventory, or give `--user`',
  },
}

/** Reports keywords that are understood but not acted on, each once however many tasks inherit it. */
export function checkCarriedOut(play: PlannedPlay, inventory: Inventory, onProblem: OnProblem): void {
  for (const [node, name] of writtenIn(play)) {
    const hint = NOT_CARRIED_OUT[name] ?? SAID_BY_INVENTORY[name]?.hint
    if (isSaidByInventory(name, node, play, inventory)) continue
    onProblem(new SourceError('UNKNOWN_KEYWORD', node.at, `\`${name}\` is not carried out`, { hint }))
  }
}

function writtenIn(play: PlannedPlay): ReadonlyMap<Node, string> {
  const steps = [...play.sections.flatMap(section => [...allTasks(section.items)]), ...allTasks(play.gate)]
  const levels: Keywords[] = [
    play.play.keywords,
    ...[...steps, ...play.handlers].map(step => step.settings.keywords),
  ]
  const written = new Map<Node, string>()
  for (const keywords of levels) {
    for (const [name, node] of keywords) if (isRefused(name)) written.set(node, name)
    const stop = inMap(keywords.get('loop_control'), 'break_when')
    if (stop) written.set(stop, 'break_when')
    const fatal = keywords.get('any_errors_fatal')
    if (fatal && fatal !== play.play.keywords.get('any_errors_fatal')) written.set(fatal, 'any_errors_fatal')
  }
  return written
}

function isRefused(name: string): boolean {
  if (name === 'any_errors_fatal') return false
  return Object.hasOwn(NOT_CARRIED_OUT, name) || Object.hasOwn(SAID_BY_INVENTORY, name)
}

function isSaidByInventory(name: string, node: Node, play: PlannedPlay, inventory: Inventory): boolean {
  const setting = SAID_BY_INVENTORY[name]?.setting
  if (setting === undefined || node.kind !== 'scalar') return false
  return play.hosts.every(host => {
    const said = hostNamed(inventory, host)?.reach[setting]
    return said !== undefined && String(said) === String(node.value)
  })
}
