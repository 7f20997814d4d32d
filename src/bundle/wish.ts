import { z } from 'zod'
import { SourceError } from '../base/error.ts'
import type { Sources } from '../syntax/files.ts'
import { nodeAt, plain } from '../syntax/node.ts'

/** Where packages of a system come from, unless the wish says otherwise: its codename and the keyring that signs them. */
const SYSTEMS = {
  'debian-12': ['bookworm', 'debian'],
  'debian-13': ['trixie', 'debian'],
  'ubuntu-22.04': ['jammy', 'ubuntu'],
  'ubuntu-24.04': ['noble', 'ubuntu'],
  'ubuntu-26.04': ['resolute', 'ubuntu'],
} as const

const VERSION = /^[A-Za-z0-9][\w.-]*$/
const address = z.string().min(1)

const bundleWish = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'small letters, digits and `-` expected')
    .describe('Name of the bundle; its file begins with it.'),
  system: z
    .enum(Object.keys(SYSTEMS) as [keyof typeof SYSTEMS])
    .describe('System of the hosts that install from it.'),
  architecture: z
    .string()
    .regex(/^[a-z0-9]+$/)
    .default('amd64')
    .describe('Architecture of these hosts, in the words of dpkg.'),
  sources: z
    .array(z.string().startsWith('deb '))
    .optional()
    .describe('Lines of `sources.list` that packages are taken from; those of the system where not given.'),
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/))
    .default([])
    .describe('Packages; what they depend on comes with them.'),
  cht: z
    .array(
      z.strictObject({
        version: z.string().regex(VERSION).describe('Version of CHT.'),
        couchdb: z.enum(['single', 'clustered']).default('single').describe('Sort of database.'),
        builds: address
          .default('https://staging.dev.medicmobile.org/_couch/builds_4')
          .describe('Server that publishes compose files, or a folder with `VERSION/cht-core.yml`.'),
        upgrade_service: address
          .default('https://raw.githubusercontent.com/medic/cht-upgrade-service/main/docker-compose.yml')
          .describe('Compose file of the upgrade service, an address or a file.'),
      }),
    )
    .default([])
    .describe('Versions of CHT, each with its compose files and images.'),
  images: z
    .array(z.string().regex(/^[a-z0-9][\w./:@-]*$/))
    .default([])
    .describe('Further container images.'),
  files: z
    .array(
      z.strictObject({
        url: address.describe('Where it is fetched from.'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .describe('Checksum it must have.'),
        path: z
          .string()
          .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/)
          .describe('Path within `files/` of the bundle.'),
      }),
    )
    .default([])
    .describe('Further files.'),
})

/** What a bundle is to hold. */
export type BundleWish = z.output<typeof bundleWish>

/**
 * Returns what the file asks for.
 *
 * @throws SourceError with the first thing that is wrong, at its place.
 */
export function readWish(file: string, sources: Sources): BundleWish {
  const at = { file, line: 1, col: 1, length: 1 }
  const problems: SourceError[] = []
  const node = sources.parse(file, problem => problems.push(problem), at)
  const [problem] = problems
  if (problem) throw problem
  if (node === undefined) throw new SourceError('BAD_VALUE', at, 'an empty file, expected a bundle')
  const { data, error } = bundleWish.safeParse(plain(node))
  if (data) return data
  const [issue] = error.issues
  const path = issue?.path ?? []
  const place = path.map(String).join('.') || 'the bundle'
  throw new SourceError('BAD_VALUE', nodeAt(node, path).at, `\`${place}\`: ${issue?.message ?? 'wrong'}`)
}

/** Returns the lines that apt takes packages from. */
export function sourceLines({ system, sources }: BundleWish): readonly string[] {
  if (sources) return sources
  const [codename, family] = SYSTEMS[system]
  if (family === 'debian') {
    const signed = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    return [
      `deb ${signed} http://deb.debian.org/debian ${codename} main`,
      `deb ${signed} http://deb.debian.org/debian ${codename}-updates main`,
      `deb ${signed} http://security.debian.org/debian-security ${codename}-security main`,
    ]
  }
  const signed = '[signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]'
  return ['', '-updates', '-security'].map(
    part => `deb ${signed} http://archive.ubuntu.com/ubuntu ${codename}${part} main universe`,
  )
}
