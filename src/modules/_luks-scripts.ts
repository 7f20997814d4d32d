import type { Change } from '../base/result.ts'
import type { Block } from '../probes/block.ts'
import type { LuksKey } from '../probes/luks.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { clearScript, guardScript, SETTLE, zeroScript } from './_disk.ts'
import { draftScript } from './_drafts.ts'
import { KEYS, keyFile, keyInput, requireKey } from './_luks-keys.ts'
import type { LuksWish } from './_luks-params.ts'
import type { Action } from './module.ts'
import { needs } from './_tools.ts'

/** Returns the one action that makes the changes, in the order in which they can be made. */
export function luksActions(
  found: readonly Change[],
  wish: LuksWish,
  seen: { readonly block?: Block | null; readonly gone?: LuksKey },
): readonly Action[] {
  const has = (kind: string): boolean => found.some(change => change.kind === kind)
  const { device, key, newKey } = wish
  const pieces = [
    has('format') && seen.block ? formatScript(wish, seen.block) : undefined,
    has('open') && !has('format') && openScript(wish),
    has('key') && addScript(wish),
    has('remove key') && removeScript(wish, seen.gone),
    has('label') && sh`cryptsetup config --label ${wish.label ?? ''} -- ${device} || exit`,
    has('size') && sh`cryptsetup resize --key-file ${inUse(wish)} -- ${wish.name} || exit`,
    has('header copy') && copyScript(wish),
    has('close') && sh`cryptsetup close -- ${wish.name} || exit`,
    has('state') && seen.block ? eraseScript(device, seen.block) : undefined,
    SETTLE,
  ]
  const input = keyInput({ key, new: newKey })
  const script = lines(needs('cryptsetup', 'cryptsetup-bin'), 'stdin' in input && KEYS, NO_TOKENS, ...pieces)
  return [{ do: 'run', script, ...input }]
}

/** With a TPM any key would seem to be right. */
const NO_TOKENS = sh`x=; case $(cryptsetup --help 2>/dev/null) in *--disable-external-tokens*) x=--disable-external-tokens ;; esac`

function inUse({ key }: LuksWish): Sh {
  return keyFile('key', requireKey(key, 'for it'))
}

/**
 * What was just encrypted reads as noise, which nobody can tell from data: its beginning is filled with zeros, so that a
 * later look sees that it is new.
 */
function formatScript(wish: LuksWish, block: Block): Sh {
  const { device, name, state, keyslot, uuid, cipher, keysize, hash, label, type } = wish
  const options = {
    '--type': type,
    '--key-slot': keyslot,
    '--uuid': uuid,
    '--label': label,
    '--cipher': cipher,
    '--key-size': keysize,
    '--hash': hash,
    '--sector-size': wish.sector_size,
  }
  const words = [...optionWords(options), ...pbkdfWords(wish)]
  return lines(
    clearScript(device, block),
    sh`cryptsetup luksFormat --batch-mode ${words} --key-file ${inUse(wish)} -- ${device} || exit`,
    sh`n=${state === 'opened' ? name : ''}; n=\${n:-msingi-$$}`,
    sh`cryptsetup open $x ${openWords(wish)} --key-file ${inUse(wish)} -- ${device} "$n" || exit`,
    zeroScript(sh`"/dev/mapper/$n"`),
    state !== 'opened' && sh`cryptsetup close -- "$n" || exit`,
  )
}

function openScript(wish: LuksWish): Sh {
  return sh`cryptsetup open $x ${openWords(wish)} --key-file ${inUse(wish)} -- ${wish.device} ${wish.name} || exit`
}

function addScript(wish: LuksWish): Sh {
  const { device, newKey = '', new_keyslot: slot } = wish
  const words = [...(slot === undefined ? [] : ['--key-slot', slot]), ...pbkdfWords(wish)]
  return sh`cryptsetup luksAddKey --batch-mode ${words} --key-file ${inUse(wish)} -- ${device} ${keyFile('new', newKey)} || exit`
}

/** With a key at hand, `cryptsetup` makes sure that it is one of those that stay. */
function removeScript(wish: LuksWish, gone: LuksKey | undefined): Sh {
  const slots = goneSlots(wish, gone)
  return lines(
    ...slots.map(
      slot => sh`cryptsetup luksKillSlot --key-file ${inUse(wish)} -- ${wish.device} ${slot} || exit`,
    ),
  )
}

/** Returns the keyslots that should be empty. */
export function goneSlots({ remove_keyslot: slot }: LuksWish, gone: LuksKey | undefined): readonly string[] {
  const named = slot === undefined ? [] : [slot]
  return typeof gone === 'object' && gone.slot !== slot ? [...named, gone.slot] : named
}

function copyScript({ device, header_backup: copy = '' }: LuksWish): Sh {
  return lines(
    draftScript(copy, 'folder'),
    sh`cryptsetup luksHeaderBackup --header-backup-file "$t/copy" -- ${device} && chmod 0600 "$t/copy" && sync "$t/copy" && mv -f -- "$t/copy" ${copy}; r=$?`,
    sh`rm -rf -- "$t"; [ $r = 0 ] || exit $r`,
  )
}

function eraseScript(device: string, block: Block): Sh {
  return lines(
    guardScript(device, block),
    sh`cryptsetup luksErase --batch-mode -- ${device} && wipefs -a -q -- ${device} || exit`,
  )
}

function openWords({ allow_discards: discards, persistent }: LuksWish): readonly string[] {
  return [
    '--type',
    'luks',
    ...(discards ? ['--allow-discards'] : []),
    ...(discards && persistent ? ['--persistent'] : []),
  ]
}

const SECOND = 1000

function pbkdfWords({ pbkdf }: LuksWish): readonly string[] {
  const { algorithm, iteration_time: time, iteration_count: count, memory, parallel } = pbkdf
  return optionWords({
    '--pbkdf': algorithm,
    '--iter-time': time === undefined ? undefined : Math.round(time * SECOND),
    '--pbkdf-force-iterations': count,
    '--pbkdf-memory': memory,
    '--pbkdf-parallel': parallel,
  })
}

function optionWords(options: Readonly<Record<string, string | number | undefined>>): readonly string[] {
  return Object.entries(options).flatMap(([word, value]) =>
    value === undefined ? [] : [word, String(value)],
  )
}
