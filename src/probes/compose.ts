import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface ComposeArg {
  /** Folder of the project. */
  readonly folder: string
  /** Words between `docker compose` and its subcommand. */
  readonly options: readonly string[]
}

export interface ComposeContainer {
  readonly name: string
  readonly service: string
  /** Hash of the configuration it was made from. */
  readonly hash: string
  /** Identifier of the image it was made from. */
  readonly image: string
  readonly status: string
  readonly exit: number
  /** `healthy`, `unhealthy`, `starting`, or empty where it has no check. */
  readonly health: string
  /** Is to run on: it has a policy for being started again. */
  readonly isKept: boolean
}

export interface ComposeService {
  readonly name: string
  readonly hash: string
  /** Identifier of the image that its name stands for now; null where it is not on the host. */
  readonly image: string | null
  readonly replicas: number
}

/** A project as its files say and as it is. */
export interface Compose {
  readonly project: string
  readonly services: readonly ComposeService[]
  readonly containers: readonly ComposeContainer[]
}

const LABEL = 'com.docker.compose'
const FORMAT = `{{index .Config.Labels "${LABEL}.project"}}\t{{index .Config.Labels "${LABEL}.service"}}\t{{index .Config.Labels "${LABEL}.config-hash"}}\t{{index .Config.Labels "${LABEL}.oneoff"}}\t{{.Image}}\t{{.State.Status}}\t{{.State.ExitCode}}\t{{if .State.Health}}{{.State.Health.Status}}{{end}}\t{{.HostConfig.RestartPolicy.Name}}\t{{.Name}}`

/**
 * Asks docker compose what a project should be, and docker what it is: hashes of the configuration, identifiers of images and
 * states of containers. What compose says of its progress is not read. Null where the project's folder or docker is not there.
 */
export const composeFamily: Family<ComposeArg, Compose | null> = {
  name: 'docker-compose',
  key: ({ folder, options }) => JSON.stringify([folder, ...options]),
  reads: ({ folder }) => [
    { kind: 'docker', name: '*' },
    { kind: 'tree', name: folder },
  ],
  deadline: 120,
  script: args =>
    lines(
      ...args.map(({ folder, options }) =>
        lines(
          sh`if [ -d ${folder} ] && command -v docker >/dev/null; then (cd -- ${folder} || exit`,
          sh`c() { docker compose ${options} "$@"; }`,
          sh`h=$(c config --hash '*') && i=$(c config --images | sort -u) && p=$(docker ps -aq --no-trunc --filter ${`label=${LABEL}.project`}) || exit`,
          sh`echo @hashes; printf '%s\\n' "$h"; echo @images`,
          sh`printf '%s\\n' "$i" | while IFS= read -r n; do [ -z "$n" ] || printf '%s\\t%s\\n' "$n" "$(docker image inspect --format '{{.Id}}' -- "$n" 2>/dev/null)"; done`,
          sh`echo @containers; [ -z "$p" ] || docker inspect --format ${FORMAT} $p || exit`,
          sh`echo @config; c config --format json || exit`,
          sh`) || exit; fi; printf '\\n@end\\n'`,
        ),
      ),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('docker compose', answer)
    const blocks = answer.out.split('\n@end\n')
    if (blocks.pop() !== '' || blocks.length !== args.length)
      throw unreadable(`expected ${args.length} answers of docker compose, found ${blocks.length}`)
    return blocks.map(block => (block === '' ? null : readProject(block)))
  },
}

/** Asks about a project of docker compose. */
export const compose = probeOf(composeFamily)

function readProject(block: string): Compose {
  const found = /^@hashes\n([^]*?)@images\n([^]*?)@containers\n([^]*?)@config\n([^]*)$/.exec(block)
  const [, hashes, images, containers, config] = found ?? []
  if (hashes === undefined || images === undefined || containers === undefined || config === undefined)
    throw unreadable('expected the parts of a project, found something else')
  const rows = (text: string): readonly (readonly string[])[] =>
    text
      .split('\n')
      .filter(row => row.trim() !== '')
      .map(row => row.split(/\t| (?=[0-9a-f]{64}$)/))
  const hashOf = new Map(rows(hashes).map(([name = '', hash = '']) => [name, hash]))
  const imageOf = new Map(rows(images).map(([name = '', id = '']) => [name, id === '' ? null : id]))
  const { project, services } = readConfig(config)
  return {
    project,
    services: services.map(({ name, image, replicas }) => {
      const hash = hashOf.get(name)
      if (hash === undefined) throw unreadable(`docker compose told no hash of the service \`${name}\``)
      return { name, hash, replicas, image: imageOf.get(image ?? `${project}-${name}`) ?? null }
    }),
    containers: rows(containers).flatMap(row => readContainer(row, project)),
  }
}

/** Containers that were run by hand belong to no service; those without a hash are no business of Compose, which lets them be. */
function readContainer(row: readonly string[], project: string): readonly ComposeContainer[] {
  const [
    own,
    service = '',
    hash = '',
    oneoff,
    image = '',
    status = '',
    exit = '',
    health = '',
    restart,
    name,
  ] = row
  if (name === undefined || !/^\d+$/.test(exit)) throw unreadable('expected what docker tells of a container')
  if (own !== project || oneoff === 'True' || hash === '') return []
  const isKept = restart === 'always' || restart === 'unless-stopped'
  return [{ name: name.replace(/^\//, ''), service, hash, image, status, exit: Number(exit), health, isKept }]
}

interface Config {
  readonly project: string
  readonly services: readonly {
    readonly name: string
    readonly image: string | undefined
    readonly replicas: number
  }[]
}

/** Of the configuration, which holds secrets, only this is kept. */
function readConfig(text: string): Config {
  try {
    const found = JSON.parse(text) as {
      name: unknown
      services: Record<string, { image?: unknown; scale?: unknown; deploy?: { replicas?: unknown } }>
    }
    if (typeof found.name !== 'string')
      throw unreadable('docker compose does not tell the name of the project')
    return {
      project: found.name,
      services: Object.entries(found.services).map(([name, { image, scale, deploy }]) => ({
        name,
        image: typeof image === 'string' ? image : undefined,
        replicas: Number(deploy?.replicas ?? scale ?? 1),
      })),
    }
  } catch {
    throw unreadable('expected the configuration of a project')
  }
}
