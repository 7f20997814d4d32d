import { createHash } from 'node:crypto'
import type { Change } from '../base/result.ts'
import { rowsOf } from './_line-edit.ts'
import { changes } from './module.ts'

/** One line of a file of authorized keys: sshd(8). */
export interface AuthorizedKey {
  /** Empty where it has none. */
  readonly options: string
  readonly type: string
  /** The key itself, in base64: what makes two lines the same key. */
  readonly blob: string
  readonly comment: string
}

const TYPE =
  /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)(-cert-v01@openssh\.com)?$|^sk-(ssh-ed25519|ecdsa-sha2-nistp256)-cert-v01@openssh\.com$/

/** Returns what the line says, or undefined where it is no key. */
export function parseKey(row: string): AuthorizedKey | undefined {
  const text = row.trim()
  if (text === '' || text.startsWith('#')) return undefined
  const bare = parseBare(text)
  if (bare) return { options: '', ...bare }
  const options = /^(?:"(?:\\"|[^"])*"|[^\s"])+/.exec(text)?.[0] ?? ''
  const key = parseBare(text.slice(options.length).trimStart())
  return options === '' || !key ? undefined : { options, ...key }
}

function parseBare(text: string): Omit<AuthorizedKey, 'options'> | undefined {
  const [, type = '', blob = '', comment = ''] = /^(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s+(.*))?$/.exec(text) ?? []
  return TYPE.test(type) && isOf(type, blob) ? { type, blob, comment } : undefined
}

/** The key begins with its type; a cut one is none. */
function isOf(type: string, blob: string): boolean {
  const bytes = Buffer.from(blob, 'base64')
  const own = bytes.length > 4 ? bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0)) : ''
  return own === type && bytes.length > 4 + own.length
}

/** Returns `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprintOf({ blob }: AuthorizedKey): string {
  const sum = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64')
  return `SHA256:${sum.replace(/=+$/, '')}`
}

/** Returns all keys of a file. */
export function keysIn(text: string): readonly AuthorizedKey[] {
  return rowsOf(text).flatMap(row => parseKey(row) ?? [])
}

/** Returns what became of each key, by its fingerprint. */
export function keyChanges(
  path: string,
  before: readonly AuthorizedKey[],
  after: readonly AuthorizedKey[],
): readonly Change[] {
  const shown = (key: AuthorizedKey): string =>
    `${path} ${fingerprintOf(key)}${key.comment === '' ? '' : ` (${key.comment})`}`
  const keyOf = (keys: readonly AuthorizedKey[], { blob }: AuthorizedKey) =>
    keys.find(key => key.blob === blob)
  return [
    ...after.flatMap((key): readonly Change[] => {
      const old = keyOf(before, key)
      if (!old) return [{ kind: 'key', what: shown(key), before: 'absent', after: 'present' }]
      return changes<Change>(
        old.options !== key.options && {
          kind: 'options',
          what: shown(key),
          before: old.options,
          after: key.options,
        },
        old.comment !== key.comment && {
          kind: 'comment',
          what: shown(key),
          before: old.comment,
          after: key.comment,
        },
      )
    }),
    ...before
      .filter(key => !keyOf(after, key))
      .map(key => ({ kind: 'key', what: shown(key), before: 'present', after: 'absent' })),
  ]
}

export interface KeysEdit {
  readonly keys: readonly AuthorizedKey[]
  readonly isPresent: boolean
  readonly isExclusive: boolean
  /** Undefined where the options that a key has are to stay. */
  readonly options: string | undefined
  /** Undefined where the comment that a key has is to stay. */
  readonly comment: string | undefined
}

/** Returns the text with, or without, the keys. A key that is there keeps its line; notes of people stay. */
export function withKeys(text: string, edit: KeysEdit): string {
  const { keys, isPresent, isExclusive } = edit
  const seen = new Set<string>()
  const kept = rowsOf(text).flatMap(row => {
    const key = parseKey(row)
    const wanted = keys.find(({ blob }) => blob === key?.blob)
    if (!key || !wanted) return isExclusive && !isNote(row) ? [] : [row]
    if (!isPresent || seen.has(key.blob)) return []
    seen.add(key.blob)
    return [changedRow(row, key, wanted, edit)]
  })
  const fresh = isPresent ? keys.filter(({ blob }) => !seen.has(blob)) : []
  const last = kept.at(-1)
  if (fresh.length > 0 && last !== undefined && !last.endsWith('\n')) kept.push('\n')
  return [...kept, ...fresh.map(key => rowOf(wishOf(key, key, edit)))].join('')
}

function isNote(row: string): boolean {
  return row.trim() === '' || row.trimStart().startsWith('#')
}

function changedRow(row: string, now: AuthorizedKey, wanted: AuthorizedKey, edit: KeysEdit): string {
  const wish = wishOf(now, wanted, edit)
  return wish.options === now.options && wish.comment === now.comment ? row : rowOf(wish)
}

/** Options are only taken away where that is said: a bare key must not set free one that was restricted. */
function wishOf(now: AuthorizedKey, wanted: AuthorizedKey, { options, comment }: KeysEdit): AuthorizedKey {
  const ownOptions = wanted.options === '' ? now.options : wanted.options
  return { ...now, options: options ?? ownOptions, comment: comment ?? now.comment }
}

function rowOf({ options, type, blob, comment }: AuthorizedKey): string {
  return `${[options, type, blob, comment].filter(part => part !== '').join(' ')}\n`
}
