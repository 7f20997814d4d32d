import { z } from 'zod'
import type { Change, Registered } from '../base/result.ts'
import type { Probe } from '../probes/probe.ts'
import { tree, type Tree, type TreeEntry } from '../probes/tree.ts'
import { baseOf, inside } from './_paths.ts'
import { complain, flag, mode, path, pattern, words } from './_params.ts'
import { defineModule } from './module.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const SIZES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }
const KINDS: Readonly<Record<string, string>> = { file: 'file', directory: 'directory', link: 'link' }

const params = z
  .strictObject({
    paths: z
      .union([path().transform(one => [one]), z.array(path()).min(1)])
      .optional()
      .describe('Folders to look in.'),
    path: path().optional().describe('Same as `paths`.'),
    name: path().optional().describe('Same as `paths`.'),
    patterns: words()
      .default([])
      .describe('Patterns of names, such as `*.log`; with `use_regex`, expressions for whole names.'),
    excludes: words().default([]).describe('Patterns of names to leave out.'),
    use_regex: flag().default(false).describe('`patterns` and `excludes` are expressions.'),
    contains: z.string().optional().describe('Expression (of `grep -E`) that a line of a file must hold.'),
    file_type: z.enum(['file', 'directory', 'link', 'any']).default('file').describe('What to look for.'),
    recurse: flag().default(false).describe('Look in folders below as well.'),
    depth: z.coerce.number().int().min(1).optional().describe('How deep to go with `recurse`.'),
    hidden: flag().default(false).describe('Tell of names that begin with a dot, too.'),
    follow: flag().default(false).describe('Follow symbolic links.'),
    age: z
      .string()
      .regex(/^-?\d+[smhdw]?$/)
      .optional()
      .describe('At least so old, such as `2d`; with `-`, at most.'),
    age_stamp: z.enum(['mtime']).default('mtime').describe('Which time counts: the last change of content.'),
    size: z
      .string()
      .regex(/^-?\d+[bkmgt]?$/i)
      .optional()
      .describe('At least so large, such as `10m`; with `-`, at most.'),
    mode: mode().optional().describe('Permissions, in octal digits.'),
    exact_mode: flag().default(true).describe('Exactly these permissions; else at least these.'),
    get_checksum: flag().default(false).describe('Tell the SHA-256 of files.'),
    limit: z.coerce.number().int().min(1).optional().describe('Tell of so many at most.'),
  })
  .transform(({ paths, path: one, name, ...given }, context) => {
    const folders = paths ?? [one ?? name].filter(found => found !== undefined)
    if (folders.length === 0) complain(context, 'paths', '`paths` is missing', 'MISSING_PARAM')
    if (given.mode !== undefined && !/^\d/.test(given.mode))
      complain(context, 'mode', 'octal digits expected')
    const expressions = (list: readonly string[], key: string): readonly RegExp[] =>
      list.flatMap(text => {
        if (!given.use_regex) return [globOf(text)]
        const found = pattern().safeParse(`(?:${text})$`)
        if (!found.success) complain(context, key, found.error.issues[0]?.message ?? 'an expression expected')
        return found.success ? [new RegExp(`^${found.data.source}`, found.data.flags)] : []
      })
    return {
      ...given,
      folders,
      wanted: expressions(given.patterns, 'patterns'),
      unwanted: expressions(given.excludes, 'excludes'),
    }
  })
type Params = z.output<typeof params>
type Questions = Readonly<Record<string, Probe<Tree | null>>>

export const find = defineModule({
  name: 'find',
  summary: 'Looks for files and folders, for `register`.',
  examples: [
    '- name: Look for old dumps\n  find:\n    paths: /srv/backup\n    patterns: "*.dump"\n    age: 30d\n    recurse: true\n  register: old\n',
  ],
  deviations: [
    '`contains` is an expression of `grep -E`, looked for anywhere in a line.',
    '`checksum` is SHA-256. Only the time of the last change of content (`mtime`) is known.',
    'A folder that may not be read is a failure, not a gap in the answer.',
  ],
  params,
  probe: ({ folders, recurse, depth, follow, contains, get_checksum: sums }): Questions =>
    Object.fromEntries(
      folders.map(folder => [
        folder,
        tree({ path: folder, depth: recurse ? depth : 1, follow, sums, contains }),
      ]),
    ),
  diff: (): readonly Change[] => [],
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (wish, state): Registered => {
    const missing = wish.folders.filter(folder => state[folder] === null)
    const all = wish.folders.flatMap(folder => filesIn(folder, state[folder] ?? null, wish))
    const files = wish.limit === undefined ? all : all.slice(0, wish.limit)
    return {
      files,
      matched: files.length,
      examined: wish.folders.reduce((sum, folder) => sum + (state[folder]?.entries.length ?? 0), 0),
      skipped_paths: Object.fromEntries(missing.map(folder => [folder, 'not a folder'])),
    }
  },
})

function filesIn(folder: string, found: Tree | null, wish: Params): readonly Registered[] {
  const entries = found?.entries ?? []
  return entries
    .filter(entry => isWanted(entry, found?.now ?? 0, wish))
    .map(({ name, kind, mode: bits, user, group, uid, gid, size, mtime, sha256, target, inode }) => ({
      path: inside(folder, name),
      mode: bits,
      uid,
      gid,
      pw_name: user,
      gr_name: group,
      size,
      mtime,
      inode,
      isreg: kind === 'file',
      isdir: kind === 'directory',
      islnk: kind === 'link',
      ...(sha256 !== undefined && { checksum: sha256 }),
      ...(target !== undefined && { lnk_source: target }),
    }))
}

function isWanted(entry: TreeEntry, now: number, wish: Params): boolean {
  const name = baseOf(entry.name)
  if (!wish.hidden && entry.name.split('/').some(step => step.startsWith('.'))) return false
  if (wish.file_type !== 'any' && entry.kind !== KINDS[wish.file_type]) return false
  if (wish.wanted.length > 0 && !wish.wanted.some(one => one.test(name))) return false
  if (wish.unwanted.some(one => one.test(name))) return false
  if (wish.age !== undefined && !reaches(now - entry.mtime, wish.age, UNITS)) return false
  if (wish.size !== undefined && !reaches(entry.size, wish.size, SIZES)) return false
  if (wish.mode === undefined) return true
  const [bits, asked] = [Number.parseInt(entry.mode, 8), Number.parseInt(wish.mode, 8)]
  return wish.exact_mode ? bits === asked : (bits & asked) === asked
}

function reaches(value: number, written: string, units: Readonly<Record<string, number>>): boolean {
  const [, sign, count = '0', unit = ''] = /^(-?)(\d+)([a-z]?)$/i.exec(written) ?? []
  const bound = Number(count) * (units[unit.toLowerCase()] ?? 1)
  return sign === '-' ? value <= bound : value >= bound
}

/** Patterns of the shell: `*`, `?`, `[…]`. */
function globOf(text: string): RegExp {
  const source = text.replaceAll(
    /\[(!?)([^\]]+)\]|[\\^$.*+?()[\]{}|]/g,
    (sign, not: string | undefined, members: string | undefined) => {
      if (members !== undefined) return `[${not === '!' ? '^' : ''}${members.replaceAll('\\', '\\\\')}]`
      return sign === '*' ? '[\\s\\S]*' : sign === '?' ? '[\\s\\S]' : `\\${sign}`
    },
  )
  return new RegExp(`^${source}$`)
}
