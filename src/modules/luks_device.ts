import type { Change } from '../base/result.ts'
import { block } from '../probes/block.ts'
import { headerCopy, luks, luksKey, mapping } from '../probes/luks.ts'
import { carried, deviceTouches, ERASE_NOTES, freshDevice, requireDevice, requireFree } from './_disk.ts'
import { expected } from './_luks-after.ts'
import {
  closing,
  erasing,
  HEADER,
  headerOf,
  keyChanges,
  labelOf,
  lastCopy,
  nameTaken,
  openChanges,
  uuidOf,
} from './_luks-changes.ts'
import { requireKey } from './_luks-keys.ts'
import { luksParams, type LuksQuestions } from './_luks-params.ts'
import { luksActions } from './_luks-scripts.ts'
import { changes, defineModule } from './module.ts'

export const luks_device = defineModule({
  name: 'luks_device',
  summary: 'Encrypts a device with LUKS2, opens it, and keeps its keys.',
  examples: [
    '- name: Encrypt the data disk and open it\n  luks_device:\n    device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    state: opened\n    name: data\n    passphrase: "{{ data_passphrase }}"\n    header_backup: /root/data.luks-header\n',
    '- name: Take the passphrase of the installation away\n  luks_device:\n    device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    passphrase: "{{ data_passphrase }}"\n    remove_passphrase: "{{ old_passphrase }}"\n',
  ],
  deviations: [
    ...ERASE_NOTES,
    '`absent` wants `erase` and a device that is closed; Ansible closes it first. A device that is mounted is not closed.',
    'Only LUKS2 is made. A device that is LUKS already is never encrypted anew: `cipher`, `hash`, `pbkdf` and the like count when it is made. `allow_discards` counts when it is opened.',
    'A key is removed only where another one stays that a person can hold: one of a TPM or of tang does not count, and neither `force_remove_last_key` is known. Removing wants a key that stays, as a proof.',
    '`resize` and `header_backup` are not in Ansible. The copy is right while it is of the header as it is now, so ask for it in the last task that alters the header, after `cryptenroll` and `clevis`; it is open to root alone. Bring it away with `fetch`.',
    'Passphrases reach `cryptsetup` through files in the memory of the host that only root can read, and go with the script.',
    '`device` is always to be given, except to close; a device is not looked for by `label` or `uuid`.',
  ],
  params: luksParams,
  probe: (wish): LuksQuestions => {
    const { device, name, state, newKey, new_keyslot: slot, oldKey, header_backup: copy } = wish
    return {
      ...(device !== '' && { block: block(device), luks: luks(device) }),
      ...(name !== '' && { mapping: mapping(name) }),
      ...(state === 'closed' && { inner: block(`/dev/mapper/${name}`) }),
      ...(newKey !== undefined && state !== 'absent' && { added: luksKey({ device, key: newKey, slot }) }),
      ...(oldKey !== undefined && state !== 'absent' && { gone: luksKey({ device, key: oldKey }) }),
      ...(copy !== undefined && state !== 'absent' && { copy: headerCopy({ device, path: copy }) }),
    }
  },
  diff: (wish, state): readonly Change[] => {
    const { device, name } = wish
    if (device === '') return closing(wish, state)
    const found = requireDevice(device, state.block ?? null, wish.erase)
    const header = headerOf(device, found, state.luks)
    if (wish.state === 'absent') return header ? erasing(device, found) : []
    if (!header) {
      if (state.mapping) throw nameTaken(name, state.mapping)
      requireFree(device, found, wish.erase)
      requireKey(wish.key, 'to encrypt a device')
    }
    return changes<Change>(
      !header && {
        kind: 'format',
        what: device,
        before: carried(found),
        after: 'LUKS2',
        ...(!found.isBlank && { destroys: true }),
      },
      ...keyChanges(wish, header, state),
      header !== undefined &&
        wish.label !== undefined &&
        labelOf(found) !== wish.label && {
          kind: 'label',
          what: device,
          before: labelOf(found),
          after: wish.label,
        },
      ...openChanges(wish, found, header, state),
    ).toSorted(lastCopy)
  },
  apply: (found, wish, { block: seen, gone }) =>
    luksActions(found, wish, { ...(seen && { block: seen }), ...(gone !== undefined && { gone }) }),
  expect: expected,
  foretells: (found, wish, { block: seen }) => {
    if (!seen || wish.state !== 'opened' || !found.some(({ kind }) => kind === 'format')) return []
    const path = `/dev/mapper/${wish.name}`
    return freshDevice({ path, type: 'crypt', size: seen.size - HEADER, disks: seen.disks })
  },
  touches: (_, { device, name, header_backup: copy }) => [
    ...deviceTouches(...(device === '' ? [] : [device]), ...(name === '' ? [] : [`/dev/mapper/${name}`])),
    { kind: 'unit', name: '*' },
    ...(copy === undefined ? [] : [{ kind: 'path', name: copy } as const]),
  ],
  result: ({ name, device }, { block: seen }) => {
    const uuid = seen ? uuidOf(seen) : null
    return { name: name === '' ? null : name, device, ...(uuid !== null && { uuid }) }
  },
})
