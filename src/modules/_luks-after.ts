import type { Block } from '../probes/block.ts'
import type { Luks, Mapping } from '../probes/luks.ts'
import { signed } from './_disk.ts'
import { ADDED, HEADER, labelOf, LUKS, uuidOf } from './_luks-changes.ts'
import type { LuksState, LuksWish } from './_luks-params.ts'
import { goneSlots } from './_luks-scripts.ts'

/** Returns the answers as they will be. */
export function expected(wish: LuksWish, state: LuksState): Partial<LuksState> {
  const { block: found } = state
  if (!found) return { mapping: null, inner: null }
  if (wish.state === 'absent') return { block: { ...found, signatures: [], isBlank: false }, luks: 'none' }
  return {
    block: blockAfter(wish, found, state),
    luks: headerAfter(wish, state),
    ...(wish.state === 'opened' && { mapping: mappingAfter(wish, found, state) }),
    ...(wish.state === 'closed' && { mapping: null, inner: null }),
    ...(state.added !== undefined && {
      added: state.added === 'none' ? { slot: newSlot(wish) } : state.added,
    }),
    ...(state.gone !== undefined && { gone: 'none' }),
    ...(state.copy !== undefined && { copy: 'fresh' }),
  }
}

function blockAfter(wish: LuksWish, found: Block, { mapping: open }: LuksState): Block {
  const after = signed(found, LUKS, wish.label ?? labelOf(found) ?? undefined, uuidOf(found) ?? wish.uuid)
  const isOpened = wish.state === 'opened' && !open
  return isOpened ? { ...after, uses: [{ path: found.path, by: `crypt /dev/mapper/${wish.name}` }] } : after
}

function headerAfter(wish: LuksWish, { luks, added, gone }: LuksState): Luks {
  const empty = { version: 2, keyslots: [wish.keyslot ?? '0'], tokens: [], offset: HEADER } as const
  const header: Luks = typeof luks === 'object' ? luks : empty
  const away = goneSlots(wish, gone)
  const kept = header.keyslots.filter(slot => !away.includes(slot))
  return { ...header, keyslots: added === 'none' ? [...kept, newSlot(wish)] : kept }
}

function mappingAfter(wish: LuksWish, found: Block, { luks, mapping: open }: LuksState): Mapping {
  const full = found.size - (typeof luks === 'object' ? luks.offset : HEADER)
  return {
    path: open?.path ?? `/dev/mapper/${wish.name}`,
    uuid: uuidOf(found) ?? wish.uuid ?? '',
    size: open && !wish.resize ? open.size : full,
  }
}

function newSlot({ new_keyslot: slot }: LuksWish): string {
  return slot ?? ADDED
}
