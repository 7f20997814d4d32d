import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { services } from '../probes/services.ts'
import { defineModule } from './module.ts'

export const service_facts = defineModule({
  name: 'service_facts',
  summary: 'Tells which services there are and how they stand, for `register`.',
  examples: ['- name: Look at the services\n  service_facts:\n  register: found\n'],
  deviations: [
    'The services are in what `register` holds (`found.services`); no variable is set by itself.',
    'Only services of systemd are told.',
  ],
  params: z.strictObject({}),
  probe: () => ({ services: services(null) }),
  diff: (): readonly Change[] => [],
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (_, state) => {
    const byName = Object.fromEntries(state.services.map(one => [one.name, one]))
    return { services: byName, ansible_facts: { services: byName } }
  },
})
