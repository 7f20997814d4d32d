import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { complain, flag, text } from './_params.ts'
import { defineModule } from './module.ts'

const amount = () => z.coerce.number().nonnegative().optional()

export const pause = defineModule({
  name: 'pause',
  summary: 'Lets time go by before the next task.',
  examples: ['- name: Give the cluster time to settle\n  pause:\n    seconds: 30\n'],
  deviations: [
    'It never waits for a key: nobody may be there to press one. `prompt` is only shown, and needs a time.',
    'A plan does not wait.',
  ],
  params: z
    .strictObject({
      seconds: amount().describe('How long.'),
      minutes: amount().describe('How long, in minutes.'),
      prompt: text().optional().describe('What is shown.'),
      echo: flag().default(true).describe('Accepted for Ansible playbooks; nothing is read.'),
    })
    .transform(({ seconds, minutes, prompt }, context) => {
      if ((seconds === undefined) === (minutes === undefined))
        complain(context, 'seconds', 'either `seconds` or `minutes` expected', 'MISSING_PARAM')
      return { seconds: seconds ?? (minutes ?? 0) * 60, prompt }
    }),
  patience: ({ seconds }) => ({ for: 'time', seconds }),
  probe: () => ({}),
  diff: (): readonly Change[] => [],
  apply: () => [],
  controller: true,
  result: ({ seconds, prompt }) => ({ delta: seconds, ...(prompt !== undefined && { msg: prompt }) }),
})
