import { z } from 'zod'
import { text } from './_params.ts'
import { defineModule } from './module.ts'

export const ping = defineModule({
  name: 'ping',
  summary: 'Reaches the host and gets a shell there.',
  examples: ['- name: Is the host there\n  ping:\n'],
  params: z.strictObject({
    data: text().default('pong').describe('What to answer.'),
  }),
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  touches: () => [],
  reads: true,
  result: ({ data }) => ({ ping: data }),
})
