import { createHmac } from 'node:crypto'
import { rowsOf } from './_line-edit.ts'

export interface KnownHostsEdit {
  readonly name: string
  /** `ssh-ed25519 AAAA…`, with `@cert-authority` before it where it is an authority. */
  readonly keys: readonly HostKey[]
  readonly isPresent: boolean
  readonly isHashed: boolean
}

export interface HostKey {
  readonly marker: string
  readonly type: string
  readonly blob: string
  readonly comment: string
}

/** Returns what a line without the hosts says: `[@marker] type key [comment]`. */
export function parseHostKey(text: string): HostKey | undefined {
  const found =
    /^(?:(@cert-authority|@revoked)\s+)?([a-z0-9@.-]+)\s+([A-Za-z0-9+/]{16,}=*)(?:\s+(.*))?$/.exec(
      text.trim(),
    )
  if (!found) return undefined
  const [, marker = '', type = '', blob = '', comment = ''] = found
  const bytes = Buffer.from(blob, 'base64')
  const own = bytes.length > 4 ? bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0)) : ''
  return own === type ? { marker, type, blob, comment } : undefined
}

/** Returns the text with the keys of the host, one of each type, or without any key of it. */
export function withHostKeys(text: string, { name, keys, isPresent, isHashed }: KnownHostsEdit): string {
  const wanted = keys.map(
    key =>
      `${key.marker === '' ? '' : `${key.marker} `}${isHashed ? hashed(name, key) : name} ${keyText(key)}`,
  )
  const seen = new Set<HostKey>()
  const kept = rowsOf(text).flatMap(row => {
    const found = parseRow(row)
    if (!found || !isFor(found.hosts, name)) return [row]
    const others = found.hosts.split(',').filter(host => host !== name)
    const rest =
      others.length > 0 && !found.hosts.startsWith('|') ? [row.replace(found.hosts, others.join(','))] : []
    if (!isPresent) return keys.length > 0 && !keys.some(key => key.blob === found.key.blob) ? [row] : rest
    const same = keys.find(({ type, marker }) => type === found.key.type && marker === found.key.marker)
    if (!same) return [row]
    if (same.blob !== found.key.blob || seen.has(same) || found.hosts.startsWith('|') !== isHashed)
      return rest
    seen.add(same)
    return [row]
  })
  const fresh = isPresent
    ? wanted.filter((_, index) => !keys.slice(index, index + 1).some(key => seen.has(key)))
    : []
  const last = kept.at(-1)
  if (fresh.length > 0 && last !== undefined && !last.endsWith('\n')) kept.push('\n')
  return [...kept, ...fresh.map(row => `${row}\n`)].join('')
}

function keyText({ type, blob, comment }: HostKey): string {
  return [type, blob, comment].filter(part => part !== '').join(' ')
}

interface Row {
  readonly hosts: string
  readonly key: HostKey
}

function parseRow(row: string): Row | undefined {
  const [, marker = '', hosts = '', rest = ''] =
    /^\s*((?:@\S+\s+)?)([^\s#]\S*)\s+(.*)$/.exec(row.trimEnd()) ?? []
  const key = parseHostKey(`${marker}${rest}`)
  return key && { hosts, key }
}

/** `|1|salt|hash`: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. Patterns of others stand for many hosts and are left alone. */
function isFor(hosts: string, name: string): boolean {
  const [, kind, salt = '', sum] = hosts.split('|')
  if (kind === '1')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === sum
  return hosts.split(',').includes(name)
}

/** The salt comes from the key, so that the same wish is always the same line. */
function hashed(name: string, { blob }: HostKey): string {
  const salt = createHmac('sha1', Buffer.from(blob, 'base64')).update(name).digest()
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
