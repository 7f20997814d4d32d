import { SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { plain } from '../syntax/node.ts'
import type { RoleUse } from './model.ts'
import { checkParam } from './param-types.ts'
import { type Reading, report } from './reading.ts'
import { holdsTemplate } from './shape.ts'
import { hasSignature } from './signature.ts'

/** Returns the call, after reporting parameters the role does not have and values that can be told to be wrong. */
export function callRole(use: RoleUse, reading: Reading): RoleUse {
  const { signature, name } = use.role
  const known = new Map(signature.params.map(param => [param.name, param]))
  const isClosed = hasSignature(signature, reading)
  for (const { key, value } of use.params?.entries ?? []) {
    const word = String(key.value)
    const param = known.get(word)
    if (param === undefined) {
      if (!isClosed) continue
      const hint = didYouMean(word, known.keys()) ?? `Declare it under \`params\` in \`${signature.file}\`.`
      const message = `the role \`${name}\` has no parameter \`${word}\``
      report(reading, 'UNKNOWN_ROLE_PARAM', key.at, message, { hint })
    } else if (!holdsTemplate(value)) {
      const text = value.kind === 'scalar' ? value.text : undefined
      const wrong = checkParam(param, plain(value), text)
      if (wrong)
        report(reading, 'BAD_ROLE_PARAM', value.at, `\`${word}\` is ${wrong}`, { related: [param.at] })
    }
  }
  return use
}

/**
 * Returns a problem for each required parameter that neither the call nor any variable gives.
 *
 * @param isDefined - tells whether a variable of that name reaches the role on the host in question
 */
export function missingParams(use: RoleUse, isDefined: (name: string) => boolean): SourceError[] {
  const given = new Set(use.params?.entries.map(({ key }) => key.value))
  return use.role.signature.params
    .filter(param => param.required && !given.has(param.name) && !isDefined(param.name))
    .map(
      param =>
        new SourceError(
          'MISSING_ROLE_PARAM',
          use.at,
          `the role \`${use.role.name}\` needs the parameter \`${param.name}\``,
          {
            hint: `Add \`${param.name}:\`${param.describe ? `, ${param.describe}` : '.'}`,
            related: [param.at],
          },
        ),
    )
}
