import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Block } from '../probes/block.ts'
import type { VolumeGroup, VolumeGroupAnswer } from '../probes/lvm.ts'

/** Name of a group or volume: lvm(8). */
export function lvmName() {
  return z.string().regex(/^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$/, 'a name of LVM expected')
}

/**
 * Returns the volume group, or undefined where there is none.
 *
 * @throws TaskError with code `TOOL_MISSING` where LVM is not on the host and something says that it is needed.
 */
export function requireLvm(answer: VolumeGroupAnswer, found: readonly Block[]): VolumeGroup | undefined {
  if (typeof answer === 'object') return answer
  const isMember = found.some(({ signatures }) => signatures.some(({ type }) => type === 'LVM2_member'))
  if (answer === 'missing' && isMember)
    throw new TaskError('TOOL_MISSING', '`lvm` is not on the host', 'install `lvm2`')
  return undefined
}

const UNITS = 'bskmgtpe'
const SECTOR = 512

/** Returns bytes of a size such as `512m` or `1.5G`; letters stand for powers of 1024, as LVM reads small ones. */
export function sizeBytes(value: string | number, context: z.RefinementCtx, unit: string): number {
  const [, digits, letter = unit] = /^(\d+(?:\.\d+)?)([bskmgtpe]?)(?:i?b)?$/i.exec(String(value).trim()) ?? []
  if (digits === undefined) {
    context.addIssue({
      code: 'custom',
      message: `\`${value}\` found, a size such as \`512M\` or \`10G\` expected`,
    })
    return z.NEVER
  }
  const power = UNITS.indexOf((letter === '' ? unit : letter).toLowerCase()) - 1
  return Math.round(Number(digits) * (power < 0 ? 1 : power === 0 ? SECTOR : 1024 ** power))
}
