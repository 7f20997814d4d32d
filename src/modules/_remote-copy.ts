import { TaskError } from '../base/error.ts'
import { readable } from '../probes/checksum.ts'
import { followed, visible } from '../probes/stat.ts'
import { lines, Sh, sh } from '../shell/sh.ts'
import { validatorFor } from '../shell/validate.ts'
import { ownershipScript } from './_attributes.ts'
import { keptOwnership, pathState, type ContentState, type FileWish } from './_content.ts'
import { realPath } from './_paths.ts'
import type { LocalFile } from './_local.ts'
import type { Action } from './module.ts'

/**
 * Returns a file of the host as if it lay on the controller; its content stays where it is.
 *
 * @throws TaskError with code `SOURCE_MISSING` or `NOT_A_FILE`.
 */
export function remoteFile(path: string, state: ContentState): LocalFile {
  const seen = followed(pathState(state, path))
  if (!seen) throw new TaskError('SOURCE_MISSING', `\`${path}\` is not on the host`)
  const sum = readable(state[`sum ${path}` as `sum /${string}`] ?? null)
  if (seen.kind !== 'file' || sum === null) {
    throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${seen.kind}; with \`remote_src\` a file is copied`)
  }
  return {
    path,
    sha256: sum,
    bytes: seen.size,
    mode: Number.parseInt(seen.mode, 8),
    content: () => new Uint8Array(),
  }
}

/** Returns the action that copies the file on the host: to a name beside the target, checked, then in its place in one step. */
export function copyOnHost(source: string, wish: FileWish, state: ContentState): Action {
  const seen = visible(pathState(state, wish.path))
  const target = wish.follow ? realPath(wish.path, seen) : wish.path
  const fresh = `${target}.msingi-copy`
  const kept = keptOwnership(wish, wish.follow ? followed(seen) : seen)
  return {
    do: 'run',
    script: lines(
      sh`rm -f -- ${fresh} && cp -- ${source} ${fresh} || exit`,
      ownershipScript(fresh, kept),
      ...[validatorFor(target), ownValidator(wish.validate)].map(
        check => check !== undefined && checkScript(check, fresh, target),
      ),
      sh`sync -- ${fresh} 2>/dev/null; mv -f -- ${fresh} ${target} || exit`,
    ),
  }
}

/** The command is the project's own text; `%s` in it, quoted or not, is the new file. */
function ownValidator(command: string | undefined): string | undefined {
  return command?.replaceAll(/(["']?)%s\1/g, () => '"$1"')
}

/** Validators see the new file as `$1` and the path it is meant for as `$2`. */
function checkScript(check: Sh | string, fresh: string, target: string): Sh {
  const text = check instanceof Sh ? check.text : check
  return sh`sh -c ${text} validate ${fresh} ${target} </dev/null || { s=$?; rm -f -- ${fresh}; exit $s; }`
}
