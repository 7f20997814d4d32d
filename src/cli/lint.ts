import { dirname, join, normalize } from 'node:path'
import { UsageError, type SourceError } from '../base/error.ts'
import { showSpan } from '../base/span.ts'
import { modules } from '../modules/registry.gen.ts'
import { checkRole } from '../plan/check-roles.ts'
import { leaves } from '../plan/leaves.ts'
import { openLoader } from '../playbook/load.ts'
import { plural } from '../report/quantity.ts'
import { openSources } from '../syntax/files.ts'
import { ProjectError } from './complain.ts'
import { openKeyring, unsealing } from './keys.ts'
import type { LintFlags } from './options.ts'
import { openProject } from './project.ts'
import { countPlaintext } from './secrets-check.ts'

/**
 * Returns what was checked, in a line.
 *
 * @throws ProjectError with everything that is wrong; UsageError where there is nothing to check.
 */
export function lint(files: readonly string[], flags: LintFlags): string {
  if (files.length === 0 && !flags.checkRoles)
    throw new UsageError('BAD_ARGUMENT', 'no playbook is named', 'name one, or give --check-roles')
  const ofPlaybooks = files.length === 0 ? NOTHING : lintPlaybooks(files, flags)
  const ofRoles = flags.checkRoles ? lintRoles(files, flags) : NOTHING
  const problems = distinct([...ofPlaybooks.problems, ...ofRoles.problems])
  if (problems.length > 0)
    throw new ProjectError(problems, file => ofPlaybooks.textOf(file) ?? ofRoles.textOf(file))
  const isOpen = ofPlaybooks.openSecrets > 0
  const warning = `warning: ${plural(ofPlaybooks.openSecrets, 'value')} in plain text may be secret; \`msingi secrets check\` shows where\n`
  return `no problems: ${[...ofPlaybooks.found, ...ofRoles.found].join(', ')}\n${isOpen ? warning : ''}`
}

interface Checked {
  readonly found: readonly string[]
  readonly problems: readonly SourceError[]
  readonly textOf: (file: string) => string | undefined
  /** How many values look like secrets. */
  readonly openSecrets: number
}

const NOTHING: Checked = { found: [], problems: [], textOf: () => undefined, openSecrets: 0 }

function lintPlaybooks(files: readonly string[], flags: LintFlags): Checked {
  try {
    const { project, sources } = openProject(files, { ...flags, mayStayLocked: true }, process.env)
    const { plays } = project
    const tasks = plays.flatMap(play => play.sections.flatMap(section => [...leaves(section.items)])).length
    const hosts = new Set(plays.flatMap(play => play.hosts)).size
    const found = [plural(files.length, 'playbook'), plural(tasks, 'task'), plural(hosts, 'host')]
    return { ...NOTHING, found, openSecrets: countPlaintext(sources) }
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error
    return { ...NOTHING, problems: error.problems, textOf: error.textOf }
  }
}

/** Checks the roles here and beside the playbooks, whoever calls them. */
function lintRoles(files: readonly string[], flags: LintFlags): Checked {
  const sources = openSources(unsealing(openKeyring(flags, process.env), true))
  const problems: SourceError[] = []
  const onProblem = (problem: SourceError): void => {
    problems.push(problem)
  }
  const loader = openLoader(sources, onProblem, { knownModules: new Set(modules.keys()), roots: ['.'] })
  const folders = new Set(['.', ...files.map(dirname)].map(folder => normalize(join(folder, 'roles'))))
  const roles = [...folders].flatMap(folder => loader.roles(folder))
  if (roles.length === 0)
    throw new UsageError('BAD_ARGUMENT', `there is no role in ${[...folders].join(', ')}`)
  for (const entries of roles) checkRole(entries, { modules, onProblem })
  return { ...NOTHING, found: [plural(roles.length, 'role')], problems, textOf: sources.textOf }
}

/** Both ways lead to the tasks of roles; each problem is told once. */
function distinct(problems: readonly SourceError[]): readonly SourceError[] {
  return [...new Map(problems.map(problem => [`${problem.code} ${showSpan(problem.at)}`, problem])).values()]
}
