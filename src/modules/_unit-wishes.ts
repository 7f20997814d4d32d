import type { Change } from '../base/result.ts'
import type { Probe, Resource, StateOf } from '../probes/probe.ts'
import { unit, type Unit } from '../probes/unit.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import type { ContentQuestions } from './_content.ts'
import { acting, enablement, isUp } from './_units.ts'
import { wholeActions, wholeAfter, wholeDiff, wholeQuestions, type WholeFiles } from './_whole-files.ts'
import { changes, type Action, type HostView } from './module.ts'

/** Files of a unit, and the unit as it should be once they are in place. */
export interface UnitFilesWish {
  readonly files: WholeFiles
  /** The unit's full name. */
  readonly unit: string
  /** The unit goes away with its files: it is stopped and disabled first. */
  readonly isGone: boolean
  readonly enabled?: boolean | undefined
  readonly isStarted?: boolean | undefined
  /** A changed file means nothing to the unit that is up until it is started anew. */
  readonly restarts: boolean
}

export type UnitFilesQuestions = ContentQuestions & { readonly unit?: Probe<Unit> }
export type UnitFilesState = StateOf<UnitFilesQuestions>

export function unitFilesQuestions(wish: UnitFilesWish, host: HostView): UnitFilesQuestions {
  return { ...wholeQuestions(wish.files, host), ...(!isTemplate(wish) && { unit: unit(wish.unit) }) }
}

/** A unit is named by its name, its files by their paths: no two changes can be mixed up. */
export function unitFilesDiff(wish: UnitFilesWish, state: UnitFilesState): readonly Change[] {
  const { unit: found = UNKNOWN } = state
  const files = wholeDiff(wish.files, state)
  const enabled = wish.isGone ? false : wish.enabled
  const started = wish.isGone ? false : wish.isStarted
  const isEnabled = isThere(found) && enablement(found) === true
  return [
    ...files,
    ...changes<Change>(
      isThere(found) &&
        found.needsReload &&
        files.length === 0 && { kind: 'daemon_reload', what: wish.unit, before: 'outdated', after: 'read' },
      enabled !== undefined &&
        enabled !== isEnabled && {
          kind: 'enabled',
          what: wish.unit,
          before: found.file || 'disabled',
          after: enabled ? 'enabled' : 'disabled',
        },
      started !== undefined &&
        started !== isUp(found) && {
          kind: 'state',
          what: wish.unit,
          before: `${found.active} (${found.sub})`,
          after: started ? 'started' : 'stopped',
        },
    ),
  ]
}

/** Returns what to do: stop and disable, put files in place or remove them, let systemd read them, enable and start. */
export function unitFilesActions(
  found: readonly Change[],
  wish: UnitFilesWish,
  state: UnitFilesState,
): readonly Action[] {
  const own = found.filter(({ what }) => what === wish.unit)
  const stop = lines(
    own.some(({ after }) => after === 'stopped') && sh`systemctl stop -- ${wish.unit} || exit`,
    own.some(({ after }) => after === 'disabled') && sh`systemctl disable --quiet -- ${wish.unit} || exit`,
  )
  return [
    ...(stop.text === '' ? [] : [{ do: 'run', script: stop } as const]),
    ...wholeActions(found, wish.files, state),
    { do: 'run', script: wakeScript(own, wish, state.unit ?? UNKNOWN, own.length < found.length) },
  ]
}

function wakeScript(own: readonly Change[], wish: UnitFilesWish, before: Unit, isRewritten: boolean): Sh {
  const starts = own.some(({ after }) => after === 'started')
  const restarts = wish.restarts && isRewritten && !wish.isGone && isUp(before) && wish.isStarted !== false
  return lines(
    sh`export LC_ALL=C
systemctl daemon-reload || exit`,
    own.some(({ after }) => after === 'enabled') && sh`systemctl enable --quiet -- ${wish.unit} || exit`,
    (starts || restarts) && acting(restarts ? 'restart' : 'start', { name: wish.unit }, before),
    // What failed before it was removed would be remembered for ever.
    wish.isGone && !isTemplate(wish) && sh`systemctl reset-failed -- ${wish.unit} 2>/dev/null || :`,
  )
}

/** Returns the answers as they will be. */
export function unitFilesAfter(wish: UnitFilesWish, state: UnitFilesState): UnitFilesState {
  const { unit: before } = state
  const files = { ...state, ...wholeAfter(wish.files, state) }
  if (before === undefined) return files
  const settled = { ...before, needsReload: false }
  const up = { active: 'active', sub: wish.unit.endsWith('.timer') ? 'waiting' : 'running' }
  const down = { active: 'inactive', sub: 'dead' }
  const enabled = wish.enabled === undefined ? {} : { file: wish.enabled ? 'enabled' : 'disabled' }
  const started =
    wish.isStarted === undefined || wish.isStarted === isUp(before) ? {} : wish.isStarted ? up : down
  const after: Unit = wish.isGone
    ? { ...settled, ...down, load: 'not-found', file: '', fragment: '' }
    : { ...settled, load: 'loaded', ...enabled, ...started }
  return { ...files, unit: after }
}

/** Starting and stopping may alter anything; enabling and writing only the unit, its files, and links to them. */
export function unitFilesTouches(
  found: readonly Change[],
  wish: UnitFilesWish,
): readonly Resource[] | undefined {
  const own = found.filter(({ what }) => what === wish.unit)
  if (wish.restarts || own.some(({ kind }) => kind === 'state')) return undefined
  const paths = [...wish.files.folders, ...wish.files.files].map(({ path }) => path)
  return [
    { kind: 'unit', name: wish.unit },
    ...[...paths, ...wish.files.gone].map(name => ({ kind: 'path', name }) as const),
    ...(own.some(({ kind }) => kind === 'enabled') ? LINKS : []),
  ]
}

/** Where the links lie by which units are started with the host. */
const LINKS: readonly Resource[] = [
  'multi-user.target.wants',
  'timers.target.wants',
  'sockets.target.wants',
  'graphical.target.wants',
  'default.target.wants',
].map(folder => ({ kind: 'tree', name: `/etc/systemd/system/${folder}` }))

/** systemd knows nothing of a template itself, only of its instances. */
function isTemplate({ unit: name }: UnitFilesWish): boolean {
  return name.includes('@.')
}

const UNKNOWN: Unit = {
  id: '',
  names: [],
  load: 'not-found',
  active: 'inactive',
  sub: 'dead',
  file: '',
  needsReload: false,
  fragment: '',
  result: '',
  type: '',
  remainsAfterExit: false,
  sysv: null,
}

function isThere({ load }: Unit): boolean {
  return load !== 'not-found'
}
