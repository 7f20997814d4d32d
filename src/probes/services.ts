import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface Service {
  readonly name: string
  /** `running`, `stopped`, `failed`, or `inactive` where systemd has not loaded it. */
  readonly state: string
  /** `enabled`, `disabled`, `static`, `masked` …, `not-found` where another unit only mentions it. */
  readonly status: string
  readonly source: 'systemd'
}

/** Asks systemd for all services: two processes. */
export const servicesFamily: Family<null, readonly Service[]> = {
  name: 'services',
  key: () => '',
  reads: () => [{ kind: 'unit', name: '*' }],
  absent: () => false,
  script: () => sh`export LC_ALL=C
systemctl list-units --all --type=service --plain --no-legend --no-pager || exit
printf '==\\n'
systemctl list-unit-files --type=service --no-legend --no-pager || exit
printf '==\\n'`,
  parse: (answer, args) => {
    const found = parseServices(answer)
    return args.map(() => found)
  },
}

/** Asks systemd for all services. */
export const services = probeOf(servicesFamily)

function parseServices(answer: Completed): readonly Service[] {
  if (answer.code !== 0) throw brokenOff('systemctl', answer)
  const rows = endedLines(answer.out)
  const [first, last] = [rows.indexOf('=='), rows.length - 1]
  if (first === -1 || first === last || rows[last] !== '==')
    throw unreadable('the answer stops before its end')
  const files = new Map(rows.slice(first + 1, last).map(fileOf))
  const units = rows.slice(0, first).map(row => unitOf(row, files))
  const loaded = new Set(units.map(({ name }) => name))
  const others = [...files].filter(([name]) => !loaded.has(name))
  return [
    ...units,
    ...others.map(([name, status]): Service => ({ name, status, state: 'inactive', source: 'systemd' })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `ssh.service enabled enabled`. */
function fileOf(row: string): [string, string] {
  const [, name, status] = /^(\S+\.service) +([a-z-]+)/.exec(row) ?? []
  if (name === undefined || status === undefined) throw strange(row)
  return [name, status]
}

/** `ssh.service loaded active running OpenBSD Secure Shell server`. */
function unitOf(row: string, files: ReadonlyMap<string, string>): Service {
  const [, name, load, active, sub] = /^(\S+\.service) +(\S+) +(\S+) +(\S+)/.exec(row) ?? []
  if (name === undefined) throw strange(row)
  const state = sub === 'running' ? 'running' : active === 'failed' ? 'failed' : 'stopped'
  const status = load === 'loaded' ? (files.get(name) ?? 'unknown') : (load ?? 'unknown')
  return { name, state, status, source: 'systemd' }
}

function strange(row: string): Error {
  return unreadable(`expected a service of systemd, found \`${row.slice(0, 120)}\``)
}
