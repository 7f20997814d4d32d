import type { Completed } from '../base/result.ts'
import { paletteFor } from '../report/palette.ts'
import { printable, printableLine } from '../report/printable.ts'
import { sh } from '../shell/sh.ts'
import type { Sh } from '../shell/sh.ts'
import { EXIT } from './exit.ts'
import { chooseHosts } from './hosts-matching.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import { lookForHolder, onHosts, tellHolder } from './on-hosts.ts'
import type { ExecFlags } from './options.ts'
import type { Work } from './on-hosts.ts'

/** Runs a command on the hosts of a pattern and tells its output as each host is done; returns the exit status. */
export async function exec(pattern: string, words: readonly string[], flags: ExecFlags): Promise<number> {
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  const hosts = chooseHosts(opened.inventory, pattern, flags.limit)
  const script = scriptOf(words)
  const tell = flags.output === 'json' ? jsonText : plainText
  return onHosts(opened, hosts, flags, async work => {
    const [holder, done] = await work.session.exchange([lookForHolder(work.session), { script }], {
      deadlineMs: flags.deadline * 1000,
      signal: work.signal,
    })
    if (done === undefined) return EXIT.failed
    tellHolder(work, holder)
    process.stdout.write(work.mask(tell(work, done)))
    return done.code === 0 ? EXIT.done : EXIT.failed
  })
}

/** One word is a line that the host's shell reads; several are a command and its arguments, whatever is in them. */
function scriptOf(words: readonly string[]): Sh {
  const [line = ''] = words
  return words.length === 1 ? sh`sh -c ${line}` : sh`${words}`
}

function plainText({ host }: Work, done: Completed): string {
  const palette = paletteFor(process.stdout, process.env)
  const name = printableLine(host.name)
  const lines = [...linesOf(done.out), ...linesOf(done.err)].map(
    line => `${palette.faint(`${name} |`)} ${line}`,
  )
  if (done.code !== 0) lines.push(`${palette.bad(`${name} !`)} ended with status ${done.code}`)
  else if (lines.length === 0) lines.push(palette.faint(`${name} | (no output)`))
  return lines.map(line => `${line}\n`).join('')
}

function jsonText({ host }: Work, { code, out, err, ms }: Completed): string {
  return `${JSON.stringify({ host: host.name, rc: code, stdout: out, stderr: err, ms })}\n`
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : printable(text).replace(/\n$/, '').split('\n')
}
