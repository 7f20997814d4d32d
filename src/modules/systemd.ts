import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { reloadDue, unit, UNIT_NAME, unitName, type Unit } from '../probes/unit.ts'
import { complain, flag, text } from './_params.ts'
import { isMasked, isUp, PASSING, enablement, unitScript } from './_units.ts'
import { changes, defineModule } from './module.ts'

const name = z
  .string()
  .regex(UNIT_NAME)
  .refine(
    value => !/@(\.\w+)?$/.test(value),
    'a template found; name one of its instances, such as `name@tty1`',
  )
  .transform(unitName)
  .optional()

const params = z
  .strictObject({
    name: name.describe('Name of the unit; `.service` where it has no suffix.'),
    service: name.describe('Same as `name`.'),
    unit: name.describe('Same as `name`.'),
    state: z
      .enum(['started', 'stopped', 'restarted', 'reloaded'])
      .optional()
      .describe('`started` and `stopped` act where it is needed, `restarted` and `reloaded` always.'),
    enabled: flag().optional().describe('Whether it is started with the host.'),
    masked: flag().optional().describe('Whether it cannot be started at all.'),
    daemon_reload: flag()
      .default(false)
      .describe('Let systemd read its files again. With a name that happens by itself where it is needed.'),
    daemon_reexec: flag().default(false).describe('Let systemd start itself anew.'),
    scope: z
      .enum(['system', 'user', 'global'])
      .default('system')
      .refine(scope => scope === 'system', 'only units of the `system` are handled')
      .describe('Whose unit it is: only `system`.'),
    no_block: flag()
      .default(false)
      .describe('Do not wait until it is started or stopped; the end is not looked at.'),
    use: z
      .enum(['auto', 'systemd', 'service'])
      .optional()
      .describe('Accepted for playbooks with `service`; it is always systemd.'),
    runlevel: text().optional().describe('Accepted for playbooks with `service`; systemd has none.'),
    sleep: text().optional().describe('Accepted for playbooks with `service`; systemd waits by itself.'),
    pattern: text()
      .optional()
      .describe('Accepted for playbooks with `service`; systemd knows its processes.'),
    force: flag().default(false).describe('Replace links that are in the way of `enabled` and `masked`.'),
  })
  .transform(({ name: first, service, unit: last, ...given }, context) => {
    const found = first ?? service ?? last
    const needsName = given.state !== undefined || given.enabled !== undefined || given.masked !== undefined
    if (found === undefined && (needsName || !(given.daemon_reload || given.daemon_reexec))) {
      complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    }
    return { ...given, name: found }
  })
type Params = z.output<typeof params>

export const systemd = defineModule({
  name: 'systemd',
  aliases: ['systemd_service', 'service'],
  summary: 'Starts, stops, enables and masks units of systemd.',
  examples: [
    '- name: Run the web server, now and after every start of the host\n  systemd:\n    name: nginx\n    state: started\n    enabled: true\n',
    '- name: Restart the database\n  systemd: { name: postgresql, state: restarted }\n',
    '- name: Keep Ctrl-Alt-Del from restarting the host\n  systemd: { name: ctrl-alt-del.target, masked: true }\n',
    '- name: Let systemd read the new mounts\n  systemd: { daemon_reload: true }\n',
  ],
  deviations: [
    'Where the files of the unit are newer than what systemd has read, that is a difference, and systemd reads them again.',
    '`daemon_reload` without a name acts only where something is newer than what systemd has read.',
    'A unit that restarts over and over counts as not started.',
    'A unit that systemd can only start by itself (`static`) counts as enabled and as disabled, whichever is asked for.',
    'A unit of `Type=oneshot` that does not remain active is run by `state: started` every time.',
    'A unit that has failed is started whatever the limit of its starts (`StartLimitBurst`) says: what counts is what is asked for now.',
    'After a start the unit must stay up for a moment; else the task fails and shows the journal of the unit.',
    'Units of users are refused.',
    'As `service` it handles systemd only. `arguments` is not taken: what a unit is started with stands in its file.',
  ],
  params,
  probe: ({ name: wanted, daemon_reload: reloads }) => ({
    ...(wanted !== undefined && { unit: unit(wanted) }),
    ...(wanted === undefined && reloads && { due: reloadDue(null) }),
  }),
  diff: (wish, { unit: found, due }): readonly Change[] => {
    const reexec = wish.daemon_reexec && {
      kind: 'daemon_reexec',
      what: 'systemd',
      before: null,
      after: 'started anew',
    }
    if (found === undefined) {
      return changes<Change>(
        due === true && { kind: 'daemon_reload', what: 'systemd', before: 'outdated', after: 'read' },
        reexec,
      )
    }
    requireUnit(wish, found)
    return changes<Change>(
      reexec,
      wish.masked !== undefined &&
        wish.masked !== isMasked(found) && {
          kind: 'masked',
          what: wish.name ?? found.id,
          before: isMasked(found),
          after: wish.masked,
        },
      found.needsReload && { kind: 'daemon_reload', what: found.id, before: 'outdated', after: 'read' },
      enabledChange(wish, found),
      stateChange(wish, found),
    )
  },
  apply: (found, wish, { unit: before }) => {
    const passes = found.every(({ kind }) => ['enabled', 'masked', 'daemon_reload'].includes(kind))
    return [{ do: 'run', script: unitScript(found, wish, before), detached: !passes }]
  },
  expect: (wish, { unit: found }) => (found ? { unit: afterwards(wish, found) } : { due: false }),
  verifiable: ({ no_block: leaves }, found) =>
    found.length === 0 || found.some(({ kind }) => !PASSING.includes(kind) && !(leaves && kind === 'state')),
  result: (wish, { unit: found }) => ({
    ...(wish.name !== undefined && { name: wish.name }),
    ...(wish.state !== undefined && { state: wish.state }),
    ...(wish.enabled !== undefined && { enabled: wish.enabled }),
    ...(found && {
      status: {
        Id: found.id,
        LoadState: found.load,
        ActiveState: found.active,
        SubState: found.sub,
        UnitFileState: found.file,
        FragmentPath: found.fragment,
        Result: found.result,
      },
    }),
  }),
})

/** Refuses what systemd would refuse, before anything is done. */
function requireUnit(wish: Params, found: Unit): void {
  const runs = [wish.state === 'started', wish.state === 'restarted', wish.enabled === true].includes(true)
  const isNeeded = wish.state !== undefined || wish.enabled !== undefined
  if (found.load === 'not-found' && isNeeded && (runs || wish.masked !== true)) {
    throw new TaskError('UNIT_NOT_FOUND', `there is no unit \`${wish.name ?? found.id}\``)
  }
  if (isMasked(found) && runs && wish.masked !== false) {
    throw new TaskError('UNIT_MASKED', `\`${found.id}\` is masked`, 'say `masked: false` if it shall run')
  }
  if (runs && ['bad-setting', 'error'].includes(found.load) && !found.needsReload) {
    const file = found.fragment || found.id
    throw new TaskError(
      'UNIT_BROKEN',
      `systemd cannot read \`${file}\` (${found.load})`,
      `run \`systemd-analyze verify ${file}\` on the host`,
    )
  }
}

function enabledChange({ enabled }: Params, found: Unit): Change | false {
  const before = enablement(found)
  if (enabled === undefined || before === null || before === enabled) return false
  if (found.file === 'indirect') {
    throw new TaskError(
      'UNIT_INDIRECT',
      `\`${found.id}\` cannot be enabled itself, only units that it names in \`Also=\``,
      'name the unit that shall be enabled',
    )
  }
  return {
    kind: 'enabled',
    what: found.id,
    before: found.file || before,
    after: enabled ? 'enabled' : 'disabled',
  }
}

function stateChange({ state }: Params, found: Unit): Change | false {
  const before = `${found.active} (${found.sub})`
  const change = (kind: string, after: string): Change => ({ kind, what: found.id, before, after })
  const ends = found.type === 'oneshot' && !found.remainsAfterExit
  switch (state) {
    case undefined:
      return false
    case 'started':
      return !isUp(found) && change(ends ? 'run' : 'state', 'started')
    case 'stopped':
      return !['inactive', 'failed'].includes(found.active) && change('state', 'stopped')
    case 'restarted':
      return change('restart', 'restarted')
    case 'reloaded':
      return isUp(found) ? change('reload', 'reloaded') : change('restart', 'started')
  }
}

function afterwards({ enabled, masked, state }: Params, found: Unit): Unit {
  const unmasked = masked === false && isMasked(found) ? { load: 'loaded', file: 'disabled' } : {}
  const file =
    enabled === undefined || enablement(found) === null ? {} : { file: enabled ? 'enabled' : 'disabled' }
  const sysv = found.sysv === null ? {} : { sysv: enabled ?? found.sysv }
  const active =
    state === 'stopped' ? { active: 'inactive', sub: 'dead' } : { active: 'active', sub: 'running' }
  return {
    ...found,
    ...unmasked,
    ...(enablement(found) !== enabled && file),
    ...sysv,
    ...(masked === true && { load: 'masked', file: 'masked' }),
    ...(state !== undefined && (state === 'stopped' || !isUp(found)) && active),
    needsReload: false,
  }
}
