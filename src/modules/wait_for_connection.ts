import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { defineModule } from './module.ts'

const seconds = () => z.coerce.number().nonnegative()

export const wait_for_connection = defineModule({
  name: 'wait_for_connection',
  summary: 'Waits until the host can be reached.',
  examples: ['- name: Wait for the new host\n  wait_for_connection:\n    delay: 10\n    timeout: 300\n'],
  deviations: [
    'The time between two attempts grows, up to ten seconds.',
    '`connect_timeout` is accepted and has no effect; the settings of SSH say how long one attempt takes.',
    'A plan does not wait.',
  ],
  params: z.strictObject({
    timeout: seconds().default(600).describe('Seconds that the host may take.'),
    delay: seconds().default(0).describe('Seconds to wait before the first attempt.'),
    sleep: seconds().default(1).describe('Seconds between the first two attempts.'),
    connect_timeout: seconds().optional().describe('Accepted for Ansible playbooks; no effect.'),
  }),
  patience: ({ timeout, delay, sleep }) => ({ for: 'host', seconds: timeout, delay, sleep }),
  probe: () => ({}),
  diff: (): readonly Change[] => [],
  apply: () => [],
  touches: () => [],
  reads: true,
})
