import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface PhysicalVolume {
  /** As LVM names it, such as `/dev/vdb1`. */
  readonly path: string
  readonly size: number
  /** Bytes of the device it lies on. */
  readonly deviceSize: number
}

export interface LogicalVolume {
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly isActive: boolean
  /** Snapshots, thin pools and the like; a plain volume is empty here. */
  readonly role: string
}

export interface VolumeGroup {
  /** Bytes of an extent; all sizes are multiples of it. */
  readonly extent: number
  readonly size: number
  readonly free: number
  readonly pvs: readonly PhysicalVolume[]
  readonly lvs: readonly LogicalVolume[]
}

/** `none`: no such group; `missing`: LVM is not on the host. */
export type VolumeGroupAnswer = VolumeGroup | 'none' | 'missing'

/** Asks about volume groups: one `lvm` for all of them. */
export const volumeGroupFamily: Family<string, VolumeGroupAnswer> = {
  name: 'volume-group',
  key: name => name,
  reads: name => [
    { kind: 'device', name: `/dev/${name}` },
    { kind: 'path', name: '/usr/sbin/lvm' },
  ],
  absent: answer => typeof answer === 'string',
  deadline: 60,
  script: () => sh`if ! command -v lvm >/dev/null; then echo missing; exit; fi
lvm fullreport --reportformat json --units b --nosuffix --configreport vg -o vg_name,vg_extent_size,vg_size,vg_free --configreport pv -o pv_name,pv_size,dev_size --configreport lv -o lv_name,lv_size,lv_active,lv_layout,lv_role --configreport pvseg -o pv_name --configreport seg -o lv_name`,
  parse: parseGroups,
}

/** Asks about the volume group. */
export const volumeGroup = probeOf(volumeGroupFamily)

type Json = Readonly<Record<string, unknown>>

function parseGroups(answer: Completed, names: readonly string[]): readonly VolumeGroupAnswer[] {
  if (answer.code !== 0) throw brokenOff('lvm', answer)
  if (answer.out === 'missing\n') return names.map(() => 'missing')
  const groups = rowsOf(jsonIn(answer.out), 'report').map(
    report => [textOf(rowsOf(report, 'vg')[0] ?? {}, 'vg_name'), report] as const,
  )
  return names.map(name => {
    const report = groups.find(([own]) => own === name)?.[1]
    return report ? groupOf(report) : 'none'
  })
}

function groupOf(report: Json): VolumeGroup {
  const vg = rowsOf(report, 'vg')[0] ?? {}
  return {
    extent: bytesOf(vg, 'vg_extent_size'),
    size: bytesOf(vg, 'vg_size'),
    free: bytesOf(vg, 'vg_free'),
    pvs: rowsOf(report, 'pv').map(pv => ({
      path: textOf(pv, 'pv_name'),
      size: bytesOf(pv, 'pv_size'),
      deviceSize: bytesOf(pv, 'dev_size'),
    })),
    lvs: rowsOf(report, 'lv').map(lv => ({
      name: textOf(lv, 'lv_name'),
      size: bytesOf(lv, 'lv_size'),
      isActive: textOf(lv, 'lv_active') === 'active',
      role:
        textOf(lv, 'lv_layout') === 'linear' && textOf(lv, 'lv_role') === 'public'
          ? ''
          : `${textOf(lv, 'lv_layout')} ${textOf(lv, 'lv_role')}`,
    })),
  }
}

function jsonIn(text: string): Json {
  try {
    const found: unknown = JSON.parse(text)
    if (isMap(found)) return found
  } catch {
    // What is no JSON is told below.
  }
  throw unreadable(`expected a report of LVM, found \`${text.slice(0, 80)}\``)
}

function rowsOf(report: Json, key: string): readonly Json[] {
  const rows = report[key]
  return Array.isArray(rows) ? rows.filter(isMap) : []
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(row: Json, key: string): string {
  const value = row[key]
  return typeof value === 'string' ? value : ''
}

function bytesOf(row: Json, key: string): number {
  const value = textOf(row, key)
  if (/^\d+$/.test(value)) return Number(value)
  throw unreadable(`LVM does not tell \`${key}\``)
}
