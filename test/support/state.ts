import { quietStat } from './stat.ts'
import type { Probes } from '../../src/probes/probe.ts'

/**
 * Returns the state a case describes: one value for each probe of the module. `absent` is null; for `stat` a line such as
 * `file 0644 root:root` or `link 0777 root:root -> /target` stands for the whole answer; for `text`, the text itself.
 *
 * @throws Error where a probe has no value in the case, or a value no probe.
 */
export function readState(
  probes: Probes,
  written: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const strays = Object.keys(written).filter(name => !(name in probes))
  if (strays.length > 0) throw new Error(`the module asks no probe named ${strays.join(', ')}`)
  return Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => {
      if (!(name in written))
        throw new Error(`\`state:\` has no value for the probe \`${name}\` (${probe.key})`)
      return [name, readValue(probe.family.name, written[name])]
    }),
  )
}

function readValue(family: string, value: unknown): unknown {
  if (value === 'absent') return null
  if (family.startsWith('stat') && typeof value === 'string') return quietStat(value)
  if (family === 'text' && typeof value === 'string') return { text: value, encoding: 'utf8' }
  return value
}
