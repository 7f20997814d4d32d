import { createHash } from 'node:crypto'
import {
  createReadStream,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { LabError } from '../lab/error.ts'
import { needPrograms, runProgram, tryProgram } from '../lab/program.ts'
import { collectPackages } from './packages.ts'
import type { BundleWish } from './wish.ts'

const MINUTE = 60_000
const FETCH_MS = 60 * MINUTE

export interface Means {
  /** Folder the archive is put into; work is done there as well, so that the last step is a rename. */
  readonly folder: string
  /** When it is made, ISO 8601. */
  readonly made: string
  readonly say: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Collects what an inventory needs where there is no way out, and returns the path of the archive. Its name and the one
 * folder in it carry a hash of all that is inside; `SHA256SUMS` has one line for each file.
 *
 * @throws LabError LAB_NEEDS where a program is missing, PROGRAM_FAILED where something cannot be fetched.
 */
export async function collect(wish: BundleWish, means: Means): Promise<string> {
  await needPrograms(programsFor(wish))
  mkdirSync(means.folder, { recursive: true })
  const work = mkdtempSync(join(means.folder, '.bundle-'))
  try {
    const content = join(work, 'content')
    mkdirSync(content)
    means.say(`${wish.packages.length} packages of ${wish.system} and what they depend on`)
    const packages = await collectPackages(wish, content, means.signal)
    const compose = await collectCompose(wish, content, means)
    await collectFiles(wish, content, means)
    const images = await collectImages([...new Set([...wish.images, ...compose])], content, means)
    const { name, system, architecture } = wish
    const cht = wish.cht.map(({ version }) => version)
    const manifest = { format: 1, name, system, architecture, made: means.made, cht, images, packages }
    await writeFile(join(content, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    return await pack(name, content, means)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function programsFor({ packages, images, cht }: BundleWish): Readonly<Record<string, string>> {
  return {
    tar: 'tar',
    ...(packages.length > 0 && { 'apt-get': 'apt', 'dpkg-deb': 'dpkg' }),
    ...(images.length + cht.length > 0 && { docker: 'docker.io' }),
  }
}

/** Brings the compose files of each version and returns the images that they name. */
async function collectCompose(
  { cht }: BundleWish,
  content: string,
  means: Means,
): Promise<readonly string[]> {
  const images: string[] = []
  for (const { version, couchdb, builds, upgrade_service: upgradeService } of cht) {
    const published = /^https?:/.test(builds) ? `medic:medic:${version}/docker-compose` : version
    const database = couchdb === 'single' ? 'cht-couchdb.yml' : 'cht-couchdb-clustered.yml'
    for (const [from, name] of [
      [`${builds}/${published}/cht-core.yml`, 'cht-core.yml'],
      [`${builds}/${published}/${database}`, database],
      [upgradeService, 'upgrade-service.yml'],
    ] as const) {
      means.say(`CHT ${version}: ${name}`)
      const path = join(content, 'cht', version, name)
      await bring(from, path, means)
      const text = await readFile(path, 'utf8')
      images.push(...[...text.matchAll(/^\s*image:\s*['"]?([^\s'"]+)/gm)].map(([, image = '']) => image))
    }
  }
  return images
}

async function collectFiles({ files }: BundleWish, content: string, means: Means): Promise<void> {
  for (const { url, sha256, path } of files) {
    means.say(path)
    const file = join(content, 'files', path)
    await bring(url, file, means)
    const found = await sumOf(file)
    if (found !== sha256)
      throw new LabError('PROGRAM_FAILED', `\`${url}\` has the SHA-256 ${found}, expected ${sha256}`)
  }
}

/** Copies a file of this machine, or fetches it. */
async function bring(from: string, to: string, { signal }: Means): Promise<void> {
  mkdirSync(dirname(to), { recursive: true })
  if (!/^https?:/.test(from)) {
    if (!existsSync(from)) throw new LabError('PROGRAM_FAILED', `\`${from}\` is not here`)
    return cpSync(from, to)
  }
  const limit = AbortSignal.any([AbortSignal.timeout(FETCH_MS), ...(signal ? [signal] : [])])
  try {
    const answer = await fetch(from, { signal: limit })
    if (!answer.ok) throw new LabError('PROGRAM_FAILED', `\`${from}\`: answered with status ${answer.status}`)
    await writeFile(to, new Uint8Array(await answer.arrayBuffer()))
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof LabError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new LabError('PROGRAM_FAILED', `\`${from}\` cannot be fetched: ${cause}`)
  }
}

async function collectImages(
  names: readonly string[],
  content: string,
  { say, signal }: Means,
): Promise<readonly { readonly name: string; readonly id: string }[]> {
  if (names.length === 0) return []
  const how = { deadlineMs: FETCH_MS, signal }
  const images: { name: string; id: string }[] = []
  for (const name of names) {
    say(name)
    const look = ['docker', 'image', 'inspect', '--format', '{{.Id}}', name]
    if ((await tryProgram(look, how)).code !== 0) await runProgram(['docker', 'pull', '--quiet', name], how)
    images.push({ name, id: (await runProgram(look, how)).trim() })
  }
  await runProgram(['docker', 'save', '--output', join(content, 'images.tar'), ...names], how)
  return images
}

/** The manifest comes last, so that where it was unpacked everything was. */
async function pack(name: string, content: string, { folder, signal }: Means): Promise<string> {
  const files = globSync(join(content, '**', '*'), { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(content, join(entry.parentPath, entry.name)))
    .toSorted()
  const lines: string[] = []
  for (const file of files) lines.push(`${await sumOf(join(content, file))}  ${file}\n`)
  const sums = lines.join('')
  const title = `${name}-${createHash('sha256').update(sums).digest('hex').slice(0, 12)}`
  await writeFile(join(content, 'SHA256SUMS'), sums)
  renameSync(content, join(dirname(content), title))
  const order = [...files.filter(file => file !== 'manifest.json'), 'SHA256SUMS', 'manifest.json']
  const draft = join(dirname(content), 'bundle.tar.gz')
  const words = ['tar', '--create', '--gzip', '--file', draft, '--owner=0', '--group=0']
  await runProgram([...words, '--directory', dirname(content), '--files-from=-'], {
    deadlineMs: FETCH_MS,
    input: order.map(file => `${title}/${file}\n`).join(''),
    signal,
  })
  const path = join(folder, `${title}.tar.gz`)
  renameSync(draft, path)
  return path
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array)
  return hash.digest('hex')
}
