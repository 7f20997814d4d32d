import { MASK, Secret } from '../base/secret.ts'
import type { Generate, RoleParam } from '../playbook/model.ts'
import type { ScalarNode } from '../syntax/node.ts'
import type { Sealed } from '../vars/names.ts'
import type { RoleCall } from './step.ts'

/** A secret that a role declares with `generate`, for one host. */
export interface WantedSecret {
  readonly host: string
  readonly role: string
  readonly param: string
  readonly generate: Generate
}

/** No text can be written with this tag: the parser refuses it. */
const TAG = '!generated'

/** Returns the default of a parameter with `generate`: opened when a text asks for it, and not before. */
export function wantedNode(role: string, { name, at }: RoleParam): ScalarNode {
  const value = `${role} ${name}`
  return {
    kind: 'scalar',
    value,
    text: MASK,
    quoted: true,
    tag: TAG,
    secret: new Secret(''),
    at,
    placeOf: () => at,
  }
}

/** Returns which secret a scalar stands for, undefined where for none. */
export function wantedOf(sealed: Sealed, calls: readonly RoleCall[], host: string): WantedSecret | undefined {
  if (sealed.tag !== TAG) return undefined
  const [role = '', param = ''] = String(sealed.value).split(' ')
  const found = calls
    .filter(call => call.role === role)
    .flatMap(call => call.params)
    .find(({ name }) => name === param)
  return found?.generate && { host, role, param, generate: found.generate }
}
