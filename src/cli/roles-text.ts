import type { SourceError } from '../base/error.ts'
import { UsageError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { modules } from '../modules/registry.gen.ts'
import { openLoader } from '../playbook/load.ts'
import type { Role } from '../playbook/model.ts'
import { rolePage } from '../playbook/role-page.ts'
import { printable } from '../report/printable.ts'
import { openSources } from '../syntax/files.ts'
import { ProjectError } from './complain.ts'

/**
 * Returns the roles of the project, one a line, with what they do.
 *
 * @throws ProjectError where they cannot be read.
 */
export function roleList(): string {
  const roles = readRoles()
  const width = Math.max(0, ...roles.map(role => role.name.length))
  return roles
    .map(({ name, signature }) => `${name.padEnd(width)}  ${printable(signature.summary)}\n`)
    .join('')
}

/**
 * Returns the page of one role.
 *
 * @throws UsageError BAD_ARGUMENT where there is no such role.
 */
export function roleText(name: string): string {
  const roles = readRoles()
  const role = roles.find(other => other.name === name)
  if (role === undefined) {
    const hint =
      didYouMean(
        name,
        roles.map(other => other.name),
      ) ?? 'run `msingi roles` for the list'
    throw new UsageError('BAD_ARGUMENT', `there is no role \`${name}\` in ${FOLDER}`, hint)
  }
  return printable(rolePage(role))
}

const FOLDER = 'roles'

function readRoles(): readonly Role[] {
  const problems: SourceError[] = []
  const sources = openSources()
  const loader = openLoader(sources, problem => problems.push(problem), {
    knownModules: new Set(modules.keys()),
  })
  const roles = loader.roles(FOLDER).map(([role]) => role)
  if (problems.length > 0) throw new ProjectError(problems, sources.textOf)
  return roles
}
