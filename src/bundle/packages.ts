import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runProgram } from '../lab/program.ts'
import { sourceLines, type BundleWish } from './wish.ts'

const FETCH_MS = 60 * 60_000

export interface BundledPackage {
  readonly name: string
  readonly version: string
  readonly file: string
}

/**
 * Fetches packages of another system with all they depend on, as if nothing were installed, and makes a repository of
 * them that apt takes without a network. Nothing of this machine's own package state is read or changed.
 */
export async function collectPackages(
  wish: BundleWish,
  folder: string,
  signal?: AbortSignal,
): Promise<readonly BundledPackage[]> {
  const repository = join(folder, 'apt')
  mkdirSync(repository, { recursive: true })
  if (wish.packages.length > 0) await fetchPackages(wish, folder, repository, signal)
  return index(repository, signal)
}

async function fetchPackages(
  wish: BundleWish,
  folder: string,
  repository: string,
  signal?: AbortSignal,
): Promise<void> {
  const work = join(folder, '.apt')
  for (const name of ['lists/partial', 'archives/partial', 'state'])
    mkdirSync(join(work, name), { recursive: true })
  writeFileSync(join(work, 'sources.list'), `${sourceLines(wish).join('\n')}\n`)
  writeFileSync(join(work, 'status'), '')
  const options = aptOptions(work, wish.architecture)
  const how = { deadlineMs: FETCH_MS, signal }
  await runProgram(['apt-get', ...options, 'update'], how)
  const words = ['install', '--download-only', '--yes', '--no-install-recommends', ...wish.packages]
  await runProgram(['apt-get', ...options, ...words], how)
  for (const file of globSync(join(work, 'archives', '*.deb')))
    renameSync(file, join(repository, basename(file)))
  rmSync(work, { recursive: true, force: true })
}

function aptOptions(work: string, architecture: string): readonly string[] {
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '5',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** Writes what apt reads of a repository that is one folder. */
async function index(folder: string, signal?: AbortSignal): Promise<readonly BundledPackage[]> {
  const packages: BundledPackage[] = []
  const paragraphs: string[] = []
  for (const path of globSync(join(folder, '*.deb')).toSorted()) {
    const control = (
      await runProgram(['dpkg-deb', '--field', path], { deadlineMs: 60_000, signal })
    ).trimEnd()
    const content = readFileSync(path)
    const file = basename(path)
    paragraphs.push(`${control}\nFilename: ./${file}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`)
    packages.push({ name: field(control, 'Package'), version: field(control, 'Version'), file })
  }
  const text = paragraphs.join('\n')
  writeFileSync(join(folder, 'Packages'), text)
  writeFileSync(
    join(folder, 'Release'),
    `Suite: msingi-bundle\nSHA256:\n ${sha256(text)} ${Buffer.byteLength(text)} Packages\n`,
  )
  return packages
}

function field(control: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? ''
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
