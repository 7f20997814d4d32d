import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { Block } from '../probes/block.ts'
import type { Luks, LuksAnswer, Mapping } from '../probes/luks.ts'
import { requireUnused } from './_disk.ts'
import { requireKey, requireKeyLeft } from './_luks-keys.ts'
import type { LuksState, LuksWish } from './_luks-params.ts'
import { goneSlots } from './_luks-scripts.ts'

export const LUKS = 'crypto_LUKS'
/** Bytes of a LUKS2 header with its keyslots: https://gitlab.com/cryptsetup/LUKS2-docs. */
export const HEADER = 16 * 2 ** 20

/** The copy is made of what all other changes leave. */
export function lastCopy(a: Change, b: Change): number {
  return Number(a.kind === 'header copy') - Number(b.kind === 'header copy')
}

/** @throws TaskError with code `TOOL_MISSING` where it is a LUKS device and nothing can be said about it. */
export function headerOf(device: string, found: Block, answer: LuksAnswer | undefined): Luks | undefined {
  if (typeof answer === 'object') return answer
  if (answer === 'missing' && found.signatures.some(({ type }) => type === LUKS))
    throw new TaskError(
      'TOOL_MISSING',
      `\`${device}\` is a LUKS device, and \`cryptsetup\` is not on the host`,
      'install `cryptsetup-bin`',
    )
  return undefined
}

export function erasing(device: string, found: Block): readonly Change[] {
  requireUnused(device, found)
  return [{ kind: 'state', what: device, before: LUKS, after: 'absent', destroys: true }]
}

export function closing({ name }: LuksWish, { mapping: open, inner }: LuksState): readonly Change[] {
  if (!open) return []
  if (inner) requireUnused(`/dev/mapper/${name}`, inner)
  return [{ kind: 'close', what: name, before: 'open', after: 'closed' }]
}

export function keyChanges(
  wish: LuksWish,
  header: Luks | undefined,
  state: LuksState,
): readonly (Change | false)[] {
  requireKeyFiles(wish, state)
  const { device } = wish
  const isAdded = wish.newKey !== undefined && state.added === 'none'
  if (isAdded) requireAddable(wish, header)
  const gone = goneSlots(wish, state.gone).filter(one => header?.keyslots.includes(one) === true)
  if (header && gone.length > 0) {
    requireKey(wish.key, 'that stays, to remove one')
    const added = isAdded ? [ADDED] : []
    requireKeyLeft(device, { ...header, keyslots: [...header.keyslots, ...added] }, gone)
  }
  return [
    isAdded && { kind: 'key', what: device, before: 'does not open it', after: 'opens it' },
    ...gone.map(one => ({
      kind: 'remove key',
      what: `${device}: keyslot ${one}`,
      before: 'key',
      after: 'empty',
    })),
    copyChange(wish, state, isAdded || gone.length > 0 || !header),
  ]
}

function requireKeyFiles(wish: LuksWish, { added, gone }: LuksState): void {
  const missing = added === 'file' ? wish.new_keyfile : gone === 'file' ? wish.remove_keyfile : undefined
  if (missing === undefined) return
  throw new TaskError(
    'KEY_MISSING',
    `\`${missing}\` is not there`,
    'make the file first, or name the keyslot',
  )
}

function requireAddable({ device, key, new_keyslot: slot }: LuksWish, header: Luks | undefined): void {
  requireKey(key, 'to add another one')
  if (slot === undefined || header?.keyslots.includes(slot) !== true) return
  throw new TaskError(
    'KEYSLOT_TAKEN',
    `keyslot ${slot} of \`${device}\` holds another key`,
    'name a free one',
  )
}

function copyChange(
  { header_backup: what = '' }: LuksWish,
  { copy }: LuksState,
  isAltered: boolean,
): Change | false {
  if (copy === undefined || (copy === 'fresh' && !isAltered)) return false
  return {
    kind: 'header copy',
    what,
    before: copy === 'none' ? 'absent' : 'of another header',
    after: 'of this header',
  }
}

/** Stands for the keyslot that a new key will have. */
export const ADDED = 'new'

export function openChanges(
  wish: LuksWish,
  found: Block,
  header: Luks | undefined,
  state: LuksState,
): readonly (Change | false)[] {
  const { device, name } = wish
  const { mapping: open } = state
  if (wish.state === 'closed') return [...closing(wish, state)]
  if (wish.state !== 'opened') return []
  if (open && header && open.uuid !== (uuidOf(found) ?? '')) throw nameTaken(name, open)
  if (!open && header) {
    requireUnused(device, found)
    requireKey(wish.key, 'to open it')
  }
  const full = found.size - (header?.offset ?? HEADER)
  const grows = wish.resize && open && header !== undefined && header.offset > 0 && open.size < full
  if (grows) requireKey(wish.key, 'to let it grow')
  return [
    !open && { kind: 'open', what: name, before: 'closed', after: device },
    grows === true && { kind: 'size', what: name, before: open?.size ?? 0, after: full },
  ]
}

export function nameTaken(name: string, { path, uuid }: Mapping): TaskError {
  return new TaskError(
    'NAME_TAKEN',
    `\`/dev/mapper/${name}\` is another device (\`${path}\`${uuid === '' ? '' : `, LUKS ${uuid}`})`,
    'choose another `name`, or close it first',
  )
}

export function uuidOf({ signatures }: Block): string | null {
  return signatures.find(({ type }) => type === LUKS)?.uuid ?? null
}

export function labelOf({ signatures }: Block): string | null {
  return signatures.find(({ type }) => type === LUKS)?.label ?? null
}
