import type { FileStat } from '../../src/probes/stat.ts'

const KNOWN_IDS: Readonly<Record<string, number>> = { root: 0, adm: 4, 'www-data': 33, admin: 1000 }
const LINE =
  /^(?<kind>\w+) (?<mode>[0-7]{4}) (?<user>[\w-]+):(?<group>[\w-]+)(?: (?<size>\d+))?(?: -> (?<target>.+))?$/

/** Returns the answer that a line such as `file 0644 root:root 120` or `link 0777 root:root -> /target` stands for. */
export function quietStat(line: string): FileStat {
  const { kind, mode, user, group, size, target } = LINE.exec(line)?.groups ?? {}
  if (!kind || !mode || !user || !group) throw new Error(`\`${line}\` does not read like a stat`)
  return {
    kind: kind as FileStat['kind'],
    mode,
    uid: KNOWN_IDS[user] ?? 1001,
    gid: KNOWN_IDS[group] ?? 1001,
    user,
    group,
    size: Number(size ?? 0),
    mtime: 1_700_000_000,
    nlink: 1,
    inode: 100,
    device: 1,
    ...(target !== undefined && { target }),
  }
}
