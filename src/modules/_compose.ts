import type { Change } from '../base/result.ts'
import type { Compose, ComposeContainer, ComposeService } from '../probes/compose.ts'

export interface ComposeWish {
  /** Empty for all. */
  readonly services: readonly string[]
  readonly recreate: 'auto' | 'never' | 'always'
  readonly removeOrphans: boolean
  /** Services must be healthy, not only run. */
  readonly wait: boolean
}

/** Returns for each service why it is not as its configuration says. */
export function presentChanges(
  { project, services, containers }: Compose,
  wish: ComposeWish,
): readonly Change[] {
  const isAsked = ({ name }: ComposeService): boolean =>
    wish.services.length === 0 || wish.services.includes(name)
  const known = new Set(services.map(({ name }) => name))
  const orphans = wish.removeOrphans ? containers.filter(({ service }) => !known.has(service)) : []
  return [
    ...services.filter(isAsked).flatMap(service => {
      const own = containers.filter(container => container.service === service.name)
      const reasons = reasonsFor(service, own, wish)
      return reasons.map(({ kind, before, after }) => ({
        kind,
        what: `${project}/${service.name}`,
        before,
        after,
      }))
    }),
    ...orphans.map(({ name, status }) => ({
      kind: 'orphan',
      what: `${project}: ${name}`,
      before: status,
      after: 'absent',
    })),
  ]
}

type Reason = Pick<Change, 'kind' | 'before' | 'after'>

function reasonsFor(
  service: ComposeService,
  own: readonly ComposeContainer[],
  wish: ComposeWish,
): readonly Reason[] {
  const { replicas, hash, image } = service
  const other = wish.recreate === 'never' ? undefined : own.find(one => one.hash !== hash)
  const older = wish.recreate === 'never' || image === null ? undefined : own.find(one => one.image !== image)
  const idle = own.filter(one => !isFine(one))
  const ill = wish.wait ? own.find(({ health }) => health !== '' && health !== 'healthy') : undefined
  return [
    ...(own.length === replicas ? [] : [{ kind: 'containers', before: own.length, after: replicas }]),
    ...(other ? [{ kind: 'configuration', before: short(other.hash), after: short(hash) }] : []),
    ...(older && image !== null ? [{ kind: 'image', before: short(older.image), after: short(image) }] : []),
    ...(idle[0] ? [{ kind: 'state', before: stateOf(idle[0]), after: 'running' }] : []),
    ...(ill && !idle.includes(ill) ? [{ kind: 'health', before: ill.health, after: 'healthy' }] : []),
  ]
}

/** What ran to its end and is not to be started again has done its work. */
function isFine({ status, exit, isKept }: ComposeContainer): boolean {
  return status === 'running' || (status === 'exited' && exit === 0 && !isKept)
}

function stateOf({ status, exit }: ComposeContainer): string {
  return status === 'exited' ? `exited with ${exit}` : status
}

/** Returns the running containers that should not run. */
export function stoppedChanges(
  { project, containers }: Compose,
  { services }: ComposeWish,
): readonly Change[] {
  return containers
    .filter(({ service }) => services.length === 0 || services.includes(service))
    .filter(({ status }) => status === 'running' || status === 'restarting' || status === 'paused')
    .map(({ name, status }) => ({
      kind: 'state',
      what: `${project}: ${name}`,
      before: status,
      after: 'stopped',
    }))
}

/** Returns the project as it will be where all of it is right. */
export function asWished(found: Compose, { services: asked, removeOrphans }: ComposeWish): Compose {
  const { services, containers } = found
  const names = new Set(services.map(({ name }) => name))
  const isOurs = (name: string): boolean => names.has(name) && (asked.length === 0 || asked.includes(name))
  const kept = containers.filter(({ service }) => !isOurs(service) && (names.has(service) || !removeOrphans))
  const fresh = services
    .filter(({ name }) => isOurs(name))
    .flatMap(({ name, hash, image, replicas }) =>
      Array.from({ length: replicas }, (_, index) => ({
        name: `${found.project}-${name}-${index + 1}`,
        service: name,
        hash,
        image: image ?? '',
        status: 'running',
        exit: 0,
        health: '',
        isKept: false,
      })),
    )
  return { ...found, containers: [...kept, ...fresh] }
}

function short(hash: string): string {
  return hash.replace(/^sha256:/, '').slice(0, 12)
}
