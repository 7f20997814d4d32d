import { SourceError } from '../base/error.ts'
import { findUnknown } from '../base/unknown.ts'
import type { RoleParam } from '../playbook/model.ts'
import { checkParam } from '../playbook/param-types.ts'
import type { Scope } from '../vars/scope.ts'
import type { RoleCall } from './step.ts'

/**
 * Checks the values that a role's parameters have on one host, wherever they come from. Returns whether all of them are
 * known by now.
 *
 * @throws SourceError BAD_ROLE_PARAM or MISSING_ROLE_PARAM, or what is wrong with the text of a value; Pending where an
 * answer of the host is outstanding.
 */
export function checkRoleValues(call: RoleCall, scope: Scope): boolean {
  return call.params.map(param => checkValue(param, call, scope)).every(Boolean)
}

/** A parameter of any type is not worked out before a text asks for it. */
function checkValue(param: RoleParam, call: RoleCall, scope: Scope): boolean {
  if (param.type === 'any' && !param.choices && !param.required) return true
  const found = scope.resolve(param.name, [])
  if (!found.found) {
    if (param.required) throw missing(param, call)
    return true
  }
  if (findUnknown(found.value)) return false
  if (found.value === null && param.default?.kind === 'scalar' && param.default.value === null) return true
  const wrong = checkParam(param, found.value)
  if (wrong === undefined) return true
  const origin = scope.origin(param.name)
  throw new SourceError(
    'BAD_ROLE_PARAM',
    origin?.at ?? call.at,
    `\`${param.name}\` of the role \`${call.role}\` is ${wrong}`,
    {
      hint: hintFor(param, found.value, origin?.origin),
      related: [param.at],
    },
  )
}

/** On the command line everything is text. */
function hintFor({ name, type }: RoleParam, value: unknown, origin: string | undefined): string | undefined {
  return origin === '-e' && typeof value === 'string' && type !== 'string'
    ? `write \`-e ${name}:=${value}\` for a value that is no text`
    : undefined
}

function missing({ name, at }: RoleParam, { role, at: place }: RoleCall): SourceError {
  return new SourceError(
    'MISSING_ROLE_PARAM',
    place,
    `the role \`${role}\` needs the parameter \`${name}\``,
    {
      hint: `add \`${name}:\``,
      related: [at],
    },
  )
}
