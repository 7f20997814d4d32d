import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Mode, Reporter } from '../base/event.ts'
import type { Version } from '../history/runs.ts'
import { operator } from './locking.ts'
import type { OpenProject } from './project.ts'

/** The project's history, below the working directory. */
export const HISTORY = join('.msingi', 'history.sqlite')

/**
 * Begins the record of a run. History that cannot be written is told and done without: it must not keep anybody from a repair.
 */
export async function recordOf(
  run: { readonly id: string; readonly mode: Mode },
  { project, from }: OpenProject,
  warn: (message: string) => void,
): Promise<Reporter> {
  const [{ keepRun }, version] = await Promise.all([
    import('../history/runs.ts'),
    versionOf(project.files[0] ?? '.'),
  ])
  const head = {
    ...run,
    ...operator(),
    command: withoutValues(process.argv.slice(2)),
    playbooks: project.files,
    inventory: from,
    version,
    started: new Date().toISOString(),
  }
  return forgiving(() => keepRun(HISTORY, head), warn)
}

/** Once it cannot be written it is left at that. */
function forgiving(begin: () => Reporter, warn: (message: string) => void): Reporter {
  let record: Reporter | undefined
  const tried = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      record = undefined
      warn(`not kept in ${HISTORY}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  record = tried(begin)
  return {
    report: event => {
      tried(() => record?.report(event))
    },
    end: async () => {
      await record?.end()
    },
  }
}

/** Values of variables may be secrets that nobody marked; which were given is enough. */
export function withoutValues(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    const before = words[index - 1]
    if (before === '-e' || before === '--extra-vars') return withoutValue(word)
    const [, flag = '', value] = /^(--extra-vars=|-e)(.+)$/s.exec(word) ?? []
    return value === undefined ? word : `${flag}${withoutValue(value)}`
  })
}

function withoutValue(word: string): string {
  if (word.startsWith('@')) return word
  return /^\s*\{/.test(word) ? '{…}' : word.replaceAll(/(:?=).*/gs, '$1…')
}

/** How long version control may take; on a slow disk the run does not wait for it. */
const GIT_MS = 3000

/** Returns the commit of the folder the file lies in; undefined where there is no git, or none that knows it. */
export async function versionOf(file: string): Promise<Version | undefined> {
  const args = ['-C', dirname(file), 'status', '--porcelain=v2', '--branch']
  try {
    const { stdout } = await promisify(execFile)('git', args, {
      timeout: GIT_MS,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
    })
    const commit = /^# branch\.oid ([0-9a-f]{40,64})$/m.exec(stdout)?.[1]
    return commit === undefined ? undefined : { commit, isDirty: /^[^#]/m.test(stdout) }
  } catch {
    return undefined
  }
}
