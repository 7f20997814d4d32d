import { UsageError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { FACTS } from '../probes/facts.ts'
import type { Probe } from '../probes/probe.ts'
import { printable, printableLine } from '../report/printable.ts'
import { batch } from '../run/batch.ts'
import { EXIT } from './exit.ts'
import { chooseHosts } from './hosts-matching.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import { lookForHolder, onHosts, tellHolder } from './on-hosts.ts'
import type { FactsFlags } from './options.ts'
import type { Work } from './on-hosts.ts'

/** Slack for the way there and back. */
const LINK_SLACK_MS = 15_000

/** Asks hosts for facts in one frame each and tells them; returns the exit status. */
export async function facts(pattern: string, names: readonly string[], flags: FactsFlags): Promise<number> {
  const wanted = probesOf(names)
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  const hosts = chooseHosts(opened.inventory, pattern, flags.limit)
  return onHosts(opened, hosts, flags, async work => {
    const questions = batch([...wanted.values()])
    const options = { deadlineMs: questions.deadlineMs + LINK_SLACK_MS, signal: work.signal }
    const parts = [lookForHolder(work.session), ...questions.parts]
    const [holder, ...completed] = await work.session.exchange(parts, options)
    tellHolder(work, holder)
    const answers = questions.answers(completed)
    const found: Record<string, unknown> = {}
    const failed: string[] = []
    for (const [name, probe] of wanted) {
      const answer = answers.get(probe)
      if (answer && 'value' in answer) found[name] = answer.value
      else failed.push(`${name}: ${answer?.error.message ?? 'no answer'}`)
    }
    process.stdout.write(work.mask(flags.output === 'json' ? jsonText(work, found) : plainText(work, found)))
    const complaints = failed.map(why => `${printableLine(`${work.host.name}: ${why}`)}\n`)
    process.stderr.write(work.mask(complaints.join('')))
    return failed.length === 0 ? EXIT.done : EXIT.failed
  })
}

function probesOf(names: readonly string[]): ReadonlyMap<string, Probe<unknown>> {
  const wanted = names.length === 0 ? Object.keys(FACTS) : names
  return new Map(
    wanted.map(name => {
      const probe = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined
      if (probe) return [name, probe]
      const hint = didYouMean(name, Object.keys(FACTS)) ?? `choose of ${Object.keys(FACTS).join(', ')}`
      throw new UsageError('BAD_ARGUMENT', `there is no fact \`${name}\``, hint)
    }),
  )
}

/** On a terminal a block for each host, else one fact a line. */
function plainText({ host }: Work, found: Readonly<Record<string, unknown>>): string {
  if (!process.stdout.isTTY) {
    return Object.entries(found)
      .map(([name, value]) => `${[host.name, name, JSON.stringify(value)].map(printableLine).join('\t')}\n`)
      .join('')
  }
  return `${printableLine(host.name)}\n${printable(JSON.stringify(found, undefined, 2))}\n`
}

function jsonText({ host }: Work, found: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ host: host.name, facts: found })}\n`
}
