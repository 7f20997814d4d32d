import { sh } from '../shell/sh.ts'
import { factFamily } from './fact.ts'
import { endedLines, unreadable } from './unreadable.ts'

export interface Mount {
  readonly path: string
  /** Such as `/dev/sda1`, `tmpfs` or `server:/export`. */
  readonly source: string
  readonly type: string
  /** Options of the mount and of its file system, sorted. */
  readonly options: readonly string[]
  readonly read_only: boolean
  /** Number of the device, such as `8:1`. */
  readonly device: string
  /** The folder of the file system that is seen at the path; `/` unless it is a bind mount. */
  readonly root: string
}

/** Reads the kernel's table and never touches a mounted file system: a dead NFS server must not hold up anything. */
export const mountsFamily = factFamily<readonly Mount[]>({
  name: 'mounts',
  reads: [{ kind: 'mount', name: '*' }],
  script: sh`cat /proc/self/mountinfo`,
  parse: out => endedLines(out).map(parseMount),
})

export interface Disk {
  readonly name: string
  readonly path: string
  /** Such as `disk`, `part`, `crypt`, `lvm`, `raid1`, `rom`, `loop`. */
  readonly type: string
  /** Bytes. */
  readonly size: number
  readonly rotational: boolean
  readonly read_only: boolean
  readonly removable: boolean
  readonly model: string | null
  readonly serial: string | null
  readonly wwn: string | null
  /** Such as `sata`, `nvme`, `usb`, `virtio`. */
  readonly transport: string | null
  readonly fstype: string | null
  readonly label: string | null
  readonly uuid: string | null
  readonly mountpoint: string | null
  readonly children: readonly Disk[]
}

const COLUMNS = 'NAME,PATH,TYPE,SIZE,ROTA,RO,RM,MODEL,SERIAL,WWN,TRAN,FSTYPE,LABEL,UUID,MOUNTPOINT'

export const disksFamily = factFamily<readonly Disk[]>({
  name: 'disks',
  reads: [
    { kind: 'device', name: '*' },
    { kind: 'mount', name: '*' },
  ],
  deadline: 20,
  script: sh`export LC_ALL=C
if command -v lsblk >/dev/null 2>&1; then lsblk -J -b -o ${COLUMNS}; exit; fi
value() { v=; [ ! -r "$1" ] || IFS= read -r v <"$1"; printf '%s\\t' "$v"; }
for d in /sys/block/*; do
[ -e "$d/size" ] || continue
printf '%s\\t' "\${d##*/}"
for f in size queue/rotational ro removable device/model device/serial device/wwid; do value "$d/$f"; done
printf '\\n'
done`,
  parse: out => (out.startsWith('{') ? parseLsblk(out) : endedLines(out).map(parseBlock)),
})

/** Returns what a line of the kernel's table says: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, proc(5). */
export function parseMount(row: string): Mount {
  const [before = '', after = ''] = row.split(' - ')
  const [, , device = '', root = '', path = '', own = ''] = before.split(' ')
  const [type = '', source = '', shared = ''] = after.split(' ')
  if (!/^\d+:\d+$/.test(device) || !path.startsWith('/') || type === '') {
    throw unreadable(`expected a line of mountinfo, found \`${row.slice(0, 120)}\``)
  }
  const options = [...new Set([...own.split(','), ...shared.split(',')])].filter(option => option !== '')
  const isReadOnly = options.includes('ro')
  return {
    path: unescaped(path),
    source: unescaped(source),
    type,
    options: options.filter(option => !isReadOnly || option !== 'rw').sort(),
    read_only: isReadOnly,
    device,
    root: unescaped(root),
  }
}

/** Blanks and backslashes are written as octal numbers. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  )
}

function parseLsblk(out: string): readonly Disk[] {
  const devices = (parseJson(out) as { blockdevices?: unknown }).blockdevices
  if (!Array.isArray(devices)) throw unreadable('lsblk names no devices')
  return devices.map(parseDevice)
}

function parseJson(out: string): object {
  try {
    return JSON.parse(out) as object
  } catch (error) {
    throw unreadable(`lsblk wrote no JSON: ${(error as Error).message}`)
  }
}

/** Older versions write numbers and flags as texts. */
function parseDevice(data: unknown): Disk {
  const device = data as Readonly<Record<string, unknown>>
  const text = (key: string): string | null => {
    const value = device[key]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
  }
  const flag = (key: string): boolean => device[key] === true || device[key] === '1'
  const name = text('name')
  const size = Number(device['size'])
  if (name === null || Number.isNaN(size)) throw unreadable('lsblk names a device without name or size')
  const { children } = device
  return {
    name,
    path: text('path') ?? `/dev/${name}`,
    type: text('type') ?? 'disk',
    size,
    rotational: flag('rota'),
    read_only: flag('ro'),
    removable: flag('rm'),
    model: text('model'),
    serial: text('serial'),
    wwn: text('wwn'),
    transport: text('tran'),
    fstype: text('fstype'),
    label: text('label'),
    uuid: text('uuid'),
    mountpoint: text('mountpoint'),
    children: Array.isArray(children) ? children.map(parseDevice) : [],
  }
}

const SECTOR = 512

/** What `/sys/block` tells where there is no lsblk: whole disks only, nothing of what is on them. */
function parseBlock(row: string): Disk {
  const [name = '', sectors = '', rota, ro, rm, model = '', serial = '', wwn = '', ...more] = row.split('\t')
  if (name === '' || !/^\d+$/.test(sectors) || more.length !== 1) {
    throw unreadable(`expected a block device, found \`${row.slice(0, 120)}\``)
  }
  return {
    name,
    path: `/dev/${name}`,
    type: 'disk',
    size: Number(sectors) * SECTOR,
    rotational: rota === '1',
    read_only: ro === '1',
    removable: rm === '1',
    model: model.trim() || null,
    serial: serial.trim() || null,
    wwn: wwn.trim() || null,
    transport: null,
    fstype: null,
    label: null,
    uuid: null,
    mountpoint: null,
    children: [],
  }
}
