import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { GIT, gitCopy, gitVersion, type GitCopy, type GitVersion } from '../probes/git.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { complain, flag, path } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/

const params = z
  .strictObject({
    repo: z.string().min(1).optional().describe('Address of the source.'),
    name: z.string().min(1).optional().describe('Same as `repo`.'),
    dest: path().describe('Folder of the working copy.'),
    version: z
      .string()
      .regex(/^\w[\w./+-]*$/, 'a branch, tag or commit expected')
      .default('HEAD')
      .describe('Branch, tag or full commit; `HEAD` for the main branch.'),
    remote: z
      .string()
      .regex(/^[\w.-]+$/)
      .default('origin')
      .describe('Name of the source in the working copy.'),
    update: flag().default(true).describe('Bring a working copy that is there to the version.'),
    clone: flag().default(true).describe('Make a working copy where there is none.'),
    force: flag().default(false).describe('Throw away what was changed by hand.'),
    depth: z.coerce.number().int().min(1).optional().describe('How many commits to bring along.'),
    recursive: flag().default(true).describe('Bring submodules as well.'),
    key_file: path().optional().describe('Private key on the host for a source over SSH.'),
    accept_newhostkey: flag().default(false).describe('Trust the key of a host that was never seen before.'),
  })
  .transform(({ repo, name, ...given }, context) => {
    const source = repo ?? name
    if (source === undefined) complain(context, 'repo', '`repo` is missing', 'MISSING_PARAM')
    if (/^-|[\0\n]/.test(source ?? '')) complain(context, 'repo', 'an address expected')
    if (/^\w+:\/\/[^/@]*:[^/@]*@/.test(source ?? ''))
      complain(
        context,
        'repo',
        'a password found in the address, where everybody on the host would see it; use `key_file`',
      )
    const { key_file: key, accept_newhostkey: trusts } = given
    const ssh = [
      'ssh -o BatchMode=yes',
      ...(key === undefined ? [] : [`-o IdentitiesOnly=yes -i '${key.replaceAll("'", String.raw`'\''`)}'`]),
      ...(trusts ? ['-o StrictHostKeyChecking=accept-new'] : []),
    ].join(' ')
    return { ...given, repo: source ?? '', ssh }
  })
type Params = z.output<typeof params>
type Questions = {
  readonly copy: Probe<GitCopy>
  readonly version?: Probe<GitVersion | null | { readonly failure: string }>
}
type State = StateOf<Questions>

export const git = defineModule({
  name: 'git',
  summary: 'Keeps a working copy of a repository.',
  examples: [
    '- name: Fetch the configuration\n  git:\n    repo: https://example.org/app-config.git\n    dest: /srv/config\n    version: v5.1.0\n',
  ],
  deviations: [
    'A short commit is not taken, as a branch could have its name.',
    'The working copy stands on the commit itself, on no branch. What was changed by hand is told, and refused where the version differs, unless `force` throws it away; files git does not know stay.',
    'An address with a password in it is refused. `bare`, `refspec`, `separate_git_dir`, `verify_commit` and `archive` are not taken.',
  ],
  params,
  probe: ({ repo, dest, version, remote, ssh }): Questions => ({
    copy: gitCopy({ dest, remote }),
    ...(!COMMIT.test(version) && { version: gitVersion({ repo, version, ssh }) }),
  }),
  diff: (wish, state): readonly Change[] => {
    const { dest, repo, force, update } = wish
    const { copy } = state
    if (copy.is !== 'copy') {
      if (copy.is === 'absent')
        return changes(
          wish.clone && { kind: 'clone', what: dest, before: null, after: targetOf(wish, state).commit },
        )
      throw new TaskError(
        'NOT_A_COPY',
        `\`${dest}\` is there and no working copy`,
        'choose another folder, or empty it',
      )
    }
    if (!update) return []
    const { commit } = targetOf(wish, state)
    const isDirty = copy.changed.length > 0
    if (isDirty && !force && copy.head !== commit)
      throw new TaskError(
        'LOCAL_CHANGES',
        `in \`${dest}\` files were changed by hand: ${copy.changed.join(', ')}`,
        'say `force: true` to throw the changes away',
      )
    return changes(
      copy.url !== repo && { kind: 'remote', what: dest, before: copy.url, after: repo },
      copy.head !== commit && { kind: 'version', what: dest, before: copy.head, after: commit },
      isDirty &&
        force && { kind: 'changes', what: dest, before: copy.changed, after: 'thrown away', destroys: true },
    )
  },
  apply: (_, wish, state) => [{ do: 'run', script: fetchScript(wish, targetOf(wish, state)) }],
  expect: (wish, state) => ({ ...state, copy: copyAfter(wish, state) }),
  touches: (_, { dest }) => [{ kind: 'tree', name: dest }],
  brings: (_, { dest }) => [{ kind: 'tree', name: dest }],
  result: (_, { copy }) =>
    copy.is === 'copy' ? { after: copy.head, remote_url: copy.url, local_changes: copy.changed } : {},
})

function copyAfter(wish: Params, state: State): GitCopy {
  const { copy } = state
  if (copy.is === 'absent' ? !wish.clone : !wish.update) return copy
  const changed = copy.is === 'copy' && !wish.force ? copy.changed : []
  return { is: 'copy', head: targetOf(wish, state).commit, url: wish.repo, changed }
}

/** @throws TaskError with code `SOURCE_UNREACHABLE` or `VERSION_UNKNOWN`. */
function targetOf({ repo, version }: Params, { version: found }: State): GitVersion {
  if (COMMIT.test(version)) return { ref: version, commit: version }
  if (found && 'failure' in found)
    throw new TaskError('SOURCE_UNREACHABLE', `\`${repo}\` could not be asked: ${found.failure}`)
  if (found) return found
  throw new TaskError(
    'VERSION_UNKNOWN',
    `\`${repo}\` has no branch or tag \`${version}\``,
    'write commits in full',
  )
}

/** A source may refuse single commits; then all branches are fetched. */
function fetchScript(
  { repo, dest, remote, ssh, depth, force, recursive }: Params,
  { ref, commit }: GitVersion,
): Sh {
  const shallow = depth === undefined ? sh`` : sh`--depth=${depth}`
  return lines(
    needs('git', 'git'),
    GIT,
    sh`export GIT_SSH_COMMAND=${ssh}; umask 022; d=${dest}`,
    sh`[ -e "$d/.git" ] || git init -q -- "$d" || exit`,
    sh`g remote set-url ${remote} ${repo} 2>/dev/null || g remote add ${remote} ${repo} || exit`,
    sh`g fetch -q ${shallow} ${remote} ${ref} || g fetch -q --tags ${remote} ${`+refs/heads/*:refs/remotes/${remote}/*`} || exit`,
    sh`g checkout -q ${force ? sh`--force` : sh``} --detach ${commit} -- || exit`,
    force && sh`g reset -q --hard ${commit} || exit`,
    recursive &&
      sh`[ ! -f "$d/.gitmodules" ] || g submodule --quiet update --init --recursive ${shallow} || exit`,
  )
}
