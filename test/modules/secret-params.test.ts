import { describe, expect, test } from 'vitest'
import { isSecretName } from '../../src/secrets/plaintext.ts'
import { CANARY_TASKS } from '../support/canary-tasks.ts'
import { triedParams } from '../support/secret-params.ts'

/** Parameters that only sound like a secret. */
const NO_SECRETS: Readonly<Record<string, string>> = {
  'acme_certificate.dns_credentials': 'the path of a file on the host',
  'crypttab.password': 'the path of a key file, as in crypttab(5)',
}

const tried = triedParams()

describe('parameters that take secrets', () => {
  test('a parameter that sounds like a secret takes one', () => {
    const plain = tried
      .filter(({ param, takesSecret }) => isSecretName(param) && !takesSecret)
      .map(({ module, param }) => `${module}.${param}`)

    expect(plain.filter(name => NO_SECRETS[name] === undefined)).toEqual([])
    expect(Object.keys(NO_SECRETS).filter(name => !plain.includes(name))).toEqual([])
  })

  test('each has a task that the canary runs through every output', () => {
    const found = tried.flatMap(({ module, param, takesSecret }) =>
      takesSecret ? [`${module}.${param}`] : [],
    )
    const covered = Object.entries(CANARY_TASKS).flatMap(([module, params]) =>
      Object.keys(params).map(param => `${module}.${param}`),
    )

    expect(covered.toSorted()).toEqual(found.toSorted())
  })
})
