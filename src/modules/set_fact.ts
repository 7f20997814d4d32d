import { z } from 'zod'
import type { Registered } from '../base/result.ts'
import { defineModule } from './module.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export const set_fact = defineModule({
  name: 'set_fact',
  summary: 'Sets variables of the host for the rest of the run.',
  examples: [
    '- name: Choose the port\n  set_fact:\n    app_port: 8080\n    app_url: https://{{ inventory_hostname }}/\n',
  ],
  deviations: ['`cacheable` is accepted and ignored: nothing is kept from one run to the next.'],
  params: z.record(z.string(), z.unknown()).superRefine((given, context) => {
    for (const name of Object.keys(given).filter(key => !NAME.test(key)))
      context.addIssue({
        code: 'custom',
        message: `\`${name}\` found, the name of a variable expected`,
        path: [name],
      })
    if (Object.keys(valuesOf(given)).length === 0)
      context.addIssue({ code: 'custom', message: 'nothing to set found, a variable expected' })
  }),
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  controller: true,
  sets: valuesOf,
  result: params => ({ ansible_facts: valuesOf(params) }),
})

function valuesOf({ cacheable: _cacheable, ...values }: Registered): Registered {
  return values
}
