import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { treeRead } from './resources.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface GitArg {
  readonly dest: string
  readonly remote: string
}

/** A working copy on the host; `other` is a folder that holds something else. */
export type GitCopy =
  | { readonly is: 'absent' | 'other' }
  | {
      readonly is: 'copy'
      /** Null before the first commit. */
      readonly head: string | null
      readonly url: string | null
      /** Files that were changed by hand; at most 20 are named. */
      readonly changed: readonly string[]
    }

/** Asks about working copies. */
export const gitFamily: Family<GitArg, GitCopy> = {
  name: 'git',
  key: ({ dest, remote }) => `${remote} ${dest}`,
  reads: ({ dest }) => treeRead(dest),
  absent: ({ is }) => is === 'absent',
  deadline: 120,
  script: args =>
    lines(
      GIT,
      ...args.map(({ dest, remote }) =>
        lines(
          sh`d=${dest}; if [ -e "$d/.git" ]; then`,
          sh`command -v git >/dev/null || exit 127`,
          sh`echo copy; g rev-parse -q --verify HEAD || echo -; g config --get ${`remote.${remote}.url`} || echo -; g status --porcelain --untracked-files=no | head -n 20`,
          sh`elif [ -e "$d" ] && { [ ! -d "$d" ] || [ -n "$(ls -A "$d")" ]; }; then echo other; else echo absent; fi; echo .`,
        ),
      ),
    ),
  parse: parseCopies,
}

/** Asks about the working copy. */
export const gitCopy = probeOf(gitFamily)

/** Somebody else may own the folder; nobody is asked for a password. */
export const GIT: Sh = sh`export GIT_TERMINAL_PROMPT=0 GIT_OPTIONAL_LOCKS=0 LC_ALL=C
g() { git -c safe.directory="$d" -C "$d" "$@"; }`

export interface RemoteArg {
  readonly repo: string
  readonly version: string
  readonly ssh: string
}

/** What a version means at the source: a branch or tag with its commit; null where it has none of that name. */
export interface GitVersion {
  readonly ref: string
  readonly commit: string
}

/** Asks sources what versions mean; of the host it depends on git alone. */
export const gitRemoteFamily: Family<RemoteArg, GitVersion | null | { readonly failure: string }> = {
  name: 'git-remote',
  key: ({ repo, version }) => `${repo} ${version}`,
  reads: () => [{ kind: 'package', name: 'git' }],
  absent: () => false,
  deadline: 120,
  script: args =>
    lines(
      sh`export GIT_TERMINAL_PROMPT=0 LC_ALL=C`,
      ...args.map(({ repo, version, ssh }) => {
        const refs =
          version === 'HEAD'
            ? ['HEAD']
            : [`refs/heads/${version}`, `refs/tags/${version}`, `refs/tags/${version}^{}`]
        return sh`if m=$(GIT_SSH_COMMAND=${ssh} git ls-remote -- ${repo} ${refs} 2>&1); then printf '%s\\n' "$m"; else printf '!%s\\n' "$m" | head -n 1; fi; echo .`
      }),
    ),
  parse: parseRemotes,
}

/** Asks the source what the version means. */
export const gitVersion = probeOf(gitRemoteFamily)

function parseCopies(answer: Completed, args: readonly GitArg[]): readonly GitCopy[] {
  if (answer.code !== 0) throw brokenOff('git', answer)
  return blocksIn(answer.out, args.length).map(([kind, head = '', url = '', ...changed]): GitCopy => {
    if (kind === 'absent' || kind === 'other') return { is: kind }
    if (kind !== 'copy' || !/^([0-9a-f]{40,64}|-)$/.test(head))
      throw unreadable('expected what git says of a working copy')
    const orNull = (text: string): string | null => (text === '-' ? null : text)
    return { is: 'copy', head: orNull(head), url: orNull(url), changed: changed.map(row => row.slice(3)) }
  })
}

function parseRemotes(
  answer: Completed,
  args: readonly RemoteArg[],
): readonly (GitVersion | null | { failure: string })[] {
  if (answer.code !== 0) throw brokenOff('git', answer)
  return blocksIn(answer.out, args.length).map(rows => {
    if (rows[0]?.startsWith('!')) return { failure: rows[0].slice(1) }
    const found = rows
      .filter(row => row !== '')
      .map(row => /^(?<commit>[0-9a-f]{40,64})\t(?<ref>\S+)$/.exec(row)?.groups)
    if (found.includes(undefined)) throw unreadable('expected a list of versions from git')
    const best = found.find(one => one?.['ref']?.endsWith('^{}')) ?? found[0]
    return best ? { commit: best['commit'] ?? '', ref: (best['ref'] ?? '').replace(/\^\{\}$/, '') } : null
  })
}

/** Each answer ends with a line that holds a dot alone. */
function blocksIn(out: string, count: number): readonly (readonly string[])[] {
  const blocks = `\n${out}`.split('\n.\n').map((block, index) => (index === 0 ? block.slice(1) : block))
  if (blocks.pop() !== '' || blocks.length !== count)
    throw unreadable(`expected ${count} answers of git, found ${blocks.length}`)
  return blocks.map(block => block.split('\n'))
}
