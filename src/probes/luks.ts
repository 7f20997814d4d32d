import { createHmac, randomBytes } from 'node:crypto'
import type { Secret } from '../base/secret.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** What a header says of a way to open the device without a passphrase. */
export interface LuksToken {
  readonly id: string
  /** Such as `systemd-tpm2`, `systemd-recovery`, `clevis`. */
  readonly type: string
  readonly keyslots: readonly string[]
  /** All of it, as it stands in the header. */
  readonly data: Readonly<Record<string, unknown>>
}

/** What a LUKS header says; nothing in it is secret. */
export interface Luks {
  readonly version: 1 | 2
  readonly keyslots: readonly string[]
  readonly tokens: readonly LuksToken[]
  /** Bytes from the beginning of the device to the data; 0 where it is not told. */
  readonly offset: number
}

/** `none`: no LUKS device; `missing`: it may be one, and `cryptsetup` is not there to tell. */
export type LuksAnswer = Luks | 'none' | 'missing'

const CRYPTSETUP = { kind: 'path', name: '/usr/sbin/cryptsetup' } as const
const END = '//\n'

/** Asks for headers of LUKS devices: two `cryptsetup` for each. */
export const luksFamily: Family<string, LuksAnswer> = {
  name: 'luks',
  key: path => path,
  reads: path => [{ kind: 'device', name: path }, CRYPTSETUP],
  absent: answer => typeof answer === 'string',
  deadline: 60,
  script: paths =>
    lines(
      sh`for d in ${paths}; do if [ ! -b "$d" ]; then echo none
elif ! command -v cryptsetup >/dev/null; then echo missing
elif [ ! -r "$d" ]; then printf '%s may not be read\\n' "$d" >&2; exit 1
elif cryptsetup isLuks --type luks2 -- "$d"; then echo 2; cryptsetup luksDump --dump-json-metadata -- "$d" && echo || exit
elif cryptsetup isLuks -- "$d"; then echo 1; cryptsetup luksDump -- "$d" || exit
else echo none; fi; echo ${END.trim()}; done`,
    ),
  parse: (answer, paths) => {
    if (answer.code !== 0) throw brokenOff('cryptsetup', answer)
    const pieces = answer.out.split(END)
    if (pieces.pop() !== '' || pieces.length !== paths.length)
      throw unreadable(`expected ${paths.length} headers, found ${pieces.length}`)
    return pieces.map(readHeader)
  },
}

/** Asks for the header of a LUKS device. */
export const luks = probeOf(luksFamily)

/** An open device below `/dev/mapper`. */
export interface Mapping {
  /** Such as `/dev/dm-0`. */
  readonly path: string
  /** Of the LUKS header; empty where it is no LUKS device. */
  readonly uuid: string
  /** Bytes. */
  readonly size: number
}

/** Asks which devices are open under names, by what the kernel tells alone. */
export const mappingFamily: Family<string, Mapping | null> = {
  name: 'mapping',
  key: name => name,
  reads: name => [{ kind: 'device', name: `/dev/mapper/${name}` }],
  script: names =>
    lines(
      sh`opened() { for d in /sys/class/block/dm-*; do [ -r "$d/dm/name" ] && IFS= read -r n <"$d/dm/name" && [ "$n" = "$1" ] || continue
u=-; IFS= read -r u <"$d/dm/uuid"; IFS= read -r s <"$d/size" || return; printf '%s %s %s\\n' "\${d##*/}" "$s" "\${u:--}"; return; done; echo -; }`,
      ...names.map(name => sh`opened ${name} || exit`),
    ),
  parse: (answer, names) => {
    if (answer.code !== 0) throw brokenOff('sh', answer)
    const rows = endedLines(answer.out)
    if (rows.length !== names.length) throw unreadable(`expected ${names.length} lines, found ${rows.length}`)
    return rows.map(readMapping)
  },
}

/** Asks which device is open under the name. */
export const mapping = probeOf(mappingFamily)

export interface LuksKeyArg {
  readonly device: string
  /** The key, base64 of its bytes, or the path of a file on the host that holds it. */
  readonly key: Secret | string
  /** The one keyslot to be tried; all of them where not given. */
  readonly slot?: string | undefined
}

/** Which keyslot a key opens; `none` where it opens none; `file` where the file that holds it is not there. */
export type LuksKey = { readonly slot: string } | 'none' | 'file'

/** Identities of questions must tell nothing about keys. */
const SALT = randomBytes(16)

/**
 * Asks which keyslot a key opens. It takes as long as opening does, seconds for each keyslot. Tokens are left out: with a TPM
 * any key would seem to open the device.
 */
export const luksKeyFamily: Family<LuksKeyArg, LuksKey> = {
  name: 'luks-key',
  key: ({ device, key, slot = '' }) => {
    const seal = typeof key === 'string' ? key : createHmac('sha256', SALT).update(key.reveal()).digest('hex')
    return `${device} ${slot} ${seal.slice(0, 200)}`
  },
  reads: ({ device, key }) => [
    { kind: 'device', name: device },
    ...(typeof key === 'string' ? [{ kind: 'path', name: key } as const] : []),
    CRYPTSETUP,
  ],
  absent: found => typeof found === 'string',
  deadline: 600,
  script: args =>
    lines(
      sh`x=; case $(cryptsetup --help 2>/dev/null) in *--disable-external-tokens*) x=--disable-external-tokens ;; esac
opens() { o=$(cryptsetup open $x --test-passphrase -v "$@" 2>&1); r=$?
case $r in 0) printf '%s\\n' "$o" | sed -n 's/^Key slot \\([0-9]*\\) unlocked.*/\\1/p' | head -n 1 ;; 1|2) echo none ;; *) printf '%s\\n' "$o" >&2; exit 1 ;; esac; }`,
      ...args.map(({ device, key, slot }) => {
        const at = [...(slot === undefined ? [] : ['--key-slot', slot]), '--', device]
        const isFile = typeof key === 'string'
        return sh`if [ ! -b ${device} ] || ! command -v cryptsetup >/dev/null || ! cryptsetup isLuks -- ${device}; then echo none
${
  isFile
    ? sh`elif [ ! -f ${key} ]; then echo file; else opens --key-file ${key} ${at} || exit; fi`
    : sh`else printf %s ${key.reveal()} | base64 -d | { opens --key-file=- ${at}; } || exit; fi`
}`
      }),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('cryptsetup', answer)
    const rows = endedLines(answer.out)
    if (rows.length !== args.length) throw unreadable(`expected ${args.length} answers, found ${rows.length}`)
    return rows.map(row => {
      if (row === 'none' || row === 'file') return row
      if (!/^\d{1,2}$/.test(row)) throw unreadable(`expected a keyslot, found \`${row.slice(0, 40)}\``)
      return { slot: row }
    })
  },
}

/** Asks which keyslot the key opens. */
export const luksKey = probeOf(luksKeyFamily)

export interface HeaderCopyArg {
  readonly device: string
  /** Path of the copy on the host. */
  readonly path: string
}

/** `stale`: the header was altered since the copy was made. */
export type HeaderCopy = 'fresh' | 'stale' | 'none'

/** Asks whether copies of headers still are what they are copies of: the first 4 KiB count each change of a LUKS2 header. */
export const headerCopyFamily: Family<HeaderCopyArg, HeaderCopy> = {
  name: 'header-copy',
  key: ({ device, path }) => `${device} ${path}`,
  reads: ({ device, path }) => [
    { kind: 'device', name: device },
    { kind: 'path', name: path },
  ],
  absent: found => found === 'none',
  script: args =>
    lines(
      ...args.map(
        ({ device, path }) =>
          sh`if [ ! -e ${path} ]; then echo none; elif [ -b ${device} ] && cmp -s -n 4096 -- ${device} ${path}; then echo fresh; else echo stale; fi`,
      ),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('cmp', answer)
    const rows = endedLines(answer.out)
    if (rows.length !== args.length) throw unreadable(`expected ${args.length} answers, found ${rows.length}`)
    return rows.map(row => {
      if (row === 'fresh' || row === 'stale' || row === 'none') return row
      throw unreadable(`expected a word about a copy, found \`${row.slice(0, 40)}\``)
    })
  },
}

/** Asks whether the copy of a header still is what it is a copy of. */
export const headerCopy = probeOf(headerCopyFamily)

function readHeader(piece: string): LuksAnswer {
  const [kind = '', ...rest] = piece.split('\n')
  const text = rest.join('\n')
  if ((kind === 'none' || kind === 'missing') && text === '') return kind
  if (kind === '1') return readOld(text)
  if (kind === '2') return readNew(text)
  throw unreadable(`expected a LUKS header, found \`${piece.slice(0, 80)}\``)
}

const SECTOR = 512

function readOld(text: string): Luks {
  const keyslots = [...text.matchAll(/^Key Slot (\d): ENABLED$/gm)].map(([, slot = '']) => slot)
  const sectors = Number(/^Payload offset:\s*(\d+)$/m.exec(text)?.[1] ?? 0)
  return { version: 1, keyslots, tokens: [], offset: sectors * SECTOR }
}

function readNew(text: string): Luks {
  const { keyslots, tokens, segments } = mapOf(jsonIn(text))
  if (keyslots === undefined) throw unreadable('the LUKS header names no keyslots')
  return {
    version: 2,
    keyslots: Object.keys(mapOf(keyslots)),
    tokens: Object.entries(mapOf(tokens)).map(([id, value]) => {
      const data = mapOf(value)
      const slots = data['keyslots']
      return {
        id,
        type: typeof data['type'] === 'string' ? data['type'] : '',
        keyslots: Array.isArray(slots) ? slots.map(String) : [],
        data,
      }
    }),
    offset: Number(mapOf(mapOf(segments)['0'])['offset'] ?? 0) || 0,
  }
}

function readMapping(row: string): Mapping | null {
  if (row === '-') return null
  const [, name, sectors, id] = /^(dm-\d+) (\d+) (\S+)$/.exec(row) ?? []
  if (name === undefined || id === undefined)
    throw unreadable(`expected an open device, found \`${row.slice(0, 80)}\``)
  const digits = /^CRYPT-LUKS[12]-([0-9a-f]{32})-/.exec(id)?.[1] ?? ''
  const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { path: `/dev/${name}`, uuid, size: Number(sectors) * SECTOR }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable(`expected JSON, found \`${text.slice(0, 80)}\``)
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}
