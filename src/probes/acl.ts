import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface AclArg {
  readonly path: string
  /** Users and groups by number instead of by name. */
  readonly byNumber: boolean
}

/** The entries of an access list, such as `user:ops:r-x` or `default:mask::rwx`, in the order of `getfacl`. */
export type AclEntries = readonly string[]

/** Asks for access lists, those that new files in a folder get included; symbolic links are followed. Null where nothing is there. */
export const aclFamily: Family<AclArg, AclEntries | { readonly problem: 'missing' | 'denied' } | null> = {
  name: 'acl',
  key: ({ path, byNumber }) => `${path}${byNumber ? ' -n' : ''}`,
  reads: ({ path }) => [...pathRead(path), { kind: 'package', name: 'acl' }],
  absent: answer => answer === null || 'problem' in answer,
  script: args =>
    lines(
      ...args.map(
        ({ path, byNumber }) => sh`f=${path}; if [ ! -e "$f" ]; then echo absent
elif ! command -v getfacl >/dev/null; then echo missing
elif a=$(getfacl -cpE ${byNumber ? ['-n'] : []} -- "$f" 2>/dev/null); then printf '%s\\n' "$a"
else echo denied; fi; echo .`,
      ),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('getfacl', answer)
    const blocks = answer.out.split(/^\.\n/m)
    if (blocks.pop() !== '' || blocks.length !== args.length)
      throw unreadable(`expected ${args.length} access lists, found ${blocks.length}`)
    return blocks.map(block => {
      const rows = block.split('\n').filter(row => row !== '')
      if (rows[0] === 'absent') return null
      if (rows[0] === 'missing' || rows[0] === 'denied') return { problem: rows[0] }
      const odd = rows.find(row => !/^(default:)?(user|group|mask|other):[^:]*:[r-][w-][x-]$/.test(row))
      if (odd !== undefined || rows.length === 0)
        throw unreadable(`expected an entry of an access list, found \`${(odd ?? '').slice(0, 80)}\``)
      return rows
    })
  },
}

/** Asks for the access list of the path. */
export const acl = probeOf(aclFamily)
