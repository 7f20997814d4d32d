import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface Network {
  readonly id: string
  readonly driver: string
  readonly scope: string
  readonly isInternal: boolean
  readonly isAttachable: boolean
  readonly hasIpv6: boolean
  readonly pools: readonly Readonly<Record<string, unknown>>[]
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Names of the containers in it. */
  readonly containers: readonly string[]
}

export interface Volume {
  readonly driver: string
  readonly mountpoint: string
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export interface Image {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly bytes: number
}

/** What docker says of something; other fields are not looked at. */
type Json = Readonly<Record<string, unknown>>

/**
 * Asks docker about things of one kind by their names: one process for each, as an answer does not always tell the name
 * asked for. Where there is no docker, there is nothing of it.
 */
function familyOf<T>(name: string, command: Sh, read: (found: Json) => T): Family<string, T | null> {
  return {
    name,
    key: one => one,
    reads: () => [{ kind: 'docker', name: '*' }],
    deadline: 60,
    script: names =>
      lines(
        sh`command -v docker >/dev/null || { for n in ${names}; do echo null; done; exit; }`,
        sh`for n in ${names}; do`,
        sh`if m=$(docker ${command} inspect --format '{{json .}}' -- "$n" 2>&1); then printf '%s\\n' "$m"`,
        sh`else case $m in *[Nn]'o such '*|*' not found'*) echo null ;; *) printf '%s\\n' "$m" >&2; exit 1 ;; esac; fi; done`,
      ),
    parse: (answer, names) => {
      if (answer.code !== 0) throw brokenOff('docker', answer)
      const rows = answer.out.split('\n')
      if (rows.pop() !== '' || rows.length !== names.length)
        throw unreadable(`expected ${names.length} answers of docker, found ${rows.length}`)
      return rows.map(row => {
        const found = jsonIn(row)
        return found === null ? null : read(found)
      })
    },
  }
}

export const networkFamily = familyOf('docker-network', sh`network`, found => ({
  id: text(found, 'Id'),
  driver: text(found, 'Driver'),
  scope: text(found, 'Scope'),
  isInternal: found['Internal'] === true,
  isAttachable: found['Attachable'] === true,
  hasIpv6: found['EnableIPv6'] === true,
  pools: poolsIn(found),
  options: words(found['Options']),
  labels: words(found['Labels']),
  containers: Object.values(map(found['Containers'])).map(one => text(map(one), 'Name')),
}))

export const volumeFamily = familyOf('docker-volume', sh`volume`, found => ({
  driver: text(found, 'Driver'),
  mountpoint: text(found, 'Mountpoint'),
  options: words(found['Options']),
  labels: words(found['Labels']),
}))

export const imageFamily = familyOf('docker-image', sh`image`, found => ({
  id: text(found, 'Id'),
  tags: list(found['RepoTags']),
  digests: list(found['RepoDigests']),
  bytes: Number(found['Size'] ?? 0),
}))

/** Asks about a network of docker. */
export const network = probeOf<string, Network | null>(networkFamily)

/** Asks about a volume of docker. */
export const volume = probeOf<string, Volume | null>(volumeFamily)

/** Asks about an image on the host. */
export const image = probeOf<string, Image | null>(imageFamily)

/** What nobody uses any more, by kind. */
export interface Unused {
  readonly kind: 'container' | 'image' | 'network' | 'volume'
  readonly id: string
  /** As a person knows it. */
  readonly shown: string
}

export type Sort = 'containers' | 'images' | 'all-images' | 'networks' | 'volumes' | 'all-volumes'

/** Asks what of a sort nobody uses. */
export const unusedFamily: Family<Sort, readonly Unused[]> = {
  name: 'docker-unused',
  key: sort => sort,
  reads: () => [{ kind: 'docker', name: '*' }],
  deadline: 120,
  script: sorts =>
    lines(
      sh`command -v docker >/dev/null || docker() { :; }`,
      ...sorts.flatMap(sort => [LISTS[sort], sh`echo .`]),
    ),
  parse: parseUnused,
}

/** Asks what of the sort nobody uses. */
export const unused = probeOf(unusedFamily)

/** Images that stand behind a container are in use, whether it runs or not; `image prune` sees it so as well. */
const LISTS: Readonly<Record<Sort, Sh>> = {
  containers: sh`docker ps -a --no-trunc --filter status=exited --filter status=created --filter status=dead --format 'container {{.ID}} {{.Names}} ({{.Image}}, {{.State}})' || exit`,
  images: sh`docker image ls --no-trunc --filter dangling=true --format 'image {{.ID}} {{.ID}} {{.Size}}' || exit`,
  'all-images': sh`u=$(docker ps -aq --no-trunc) || exit
[ -z "$u" ] || u=$(docker inspect --format '{{.Image}}' $u) || exit
docker image ls --no-trunc --format 'image {{.ID}} {{.Repository}}:{{.Tag}} {{.Size}}' | { if [ -n "$u" ]; then grep -vF -e "$u" || :; else cat; fi; }`,
  networks: sh`docker network ls --no-trunc --filter dangling=true --filter type=custom --format 'network {{.ID}} {{.Name}}' || exit`,
  volumes: sh`docker volume ls --filter dangling=true --format 'volume {{.Name}} {{.Name}}' | { grep -E '^volume [0-9a-f]{64} ' || :; }`,
  'all-volumes': sh`docker volume ls --filter dangling=true --format 'volume {{.Name}} {{.Name}}' || exit`,
}

function parseUnused(answer: Completed, sorts: readonly Sort[]): readonly (readonly Unused[])[] {
  if (answer.code !== 0) throw brokenOff('docker', answer)
  const blocks = `\n${answer.out}`.split('\n.\n').map(block => block.split('\n').filter(row => row !== ''))
  if (blocks.pop()?.length !== 0 || blocks.length !== sorts.length)
    throw unreadable(`expected ${sorts.length} lists of docker, found ${blocks.length}`)
  return blocks.map(rows =>
    rows.map(row => {
      const [, kind, id, shown] = /^(container|image|network|volume) (\S+) (.+)$/.exec(row) ?? []
      if (id === undefined || shown === undefined)
        throw unreadable(`expected a thing of docker, found \`${row.slice(0, 80)}\``)
      // An image with several names is removed name by name.
      const isNamed = kind === 'image' && !/^(<none>|sha256:)/.test(shown)
      return { kind: kind as Unused['kind'], id: isNamed ? shown.replace(/ .*/, '') : id, shown }
    }),
  )
}

/** @throws TaskError with code `PROBE_UNREADABLE` where it is neither an object nor null. */
function jsonIn(row: string): Json | null {
  try {
    const found: unknown = JSON.parse(row)
    if (found === null || (typeof found === 'object' && !Array.isArray(found))) return found as Json | null
  } catch {
    // What is no JSON is told below.
  }
  throw unreadable(`expected an answer of docker, found \`${row.slice(0, 80)}\``)
}

function poolsIn(found: Json): readonly Json[] {
  const pools = map(found['IPAM'])['Config']
  return Array.isArray(pools) ? pools.map(map) : []
}

function map(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function words(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map(value)).map(([name, one]) => [name, String(one)]))
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function text(found: Json, name: string): string {
  const value = found[name]
  if (typeof value === 'string') return value
  throw unreadable(`docker does not tell \`${name}\``)
}
