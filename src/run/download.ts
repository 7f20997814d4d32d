import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import type { Download } from '../modules/module.ts'

/**
 * Returns what the controller finds at the address, from its cache where it was fetched before.
 *
 * @throws TaskError with code `DOWNLOAD_FAILED` or `CHECKSUM_MISMATCH`; nothing is kept then.
 */
export async function downloaded(wish: Download, cache = cacheFolder()): Promise<Uint8Array> {
  const file = join(cache, `${wish.algorithm}-${wish.digits.toLowerCase()}`)
  const known = await readFile(file).catch(() => undefined)
  if (known && sumOf(known, wish) === wish.digits.toLowerCase()) return known
  const content = await fetched(wish)
  const found = sumOf(content, wish)
  if (found !== wish.digits.toLowerCase()) {
    throw new TaskError(
      'CHECKSUM_MISMATCH',
      `the download has the ${wish.algorithm} \`${found}\`, expected \`${wish.digits}\``,
    )
  }
  await store(content, file, cache)
  return content
}

function cacheFolder(): string {
  return join(homedir(), '.cache', 'msingi', 'downloads')
}

function sumOf(content: Uint8Array, { algorithm }: Download): string {
  return createHash(algorithm).update(content).digest('hex')
}

async function fetched({ url, headers, seconds }: Download): Promise<Uint8Array> {
  try {
    const answer = await fetch(plain(url), {
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, plain(value)])),
      signal: AbortSignal.timeout(seconds * 1000),
    })
    if (!answer.ok) throw new TaskError('DOWNLOAD_FAILED', `the server answered with status ${answer.status}`)
    return new Uint8Array(await answer.arrayBuffer())
  } catch (error) {
    if (error instanceof TaskError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new TaskError('DOWNLOAD_FAILED', `the controller could not fetch it: ${cause}`)
  }
}

async function store(content: Uint8Array, file: string, cache: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await mkdir(cache, { recursive: true })
  try {
    await writeFile(draft, content)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

function plain(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value
}
