import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { text } from './_params.ts'
import { defineModule } from './module.ts'

export const fail = defineModule({
  name: 'fail',
  summary: 'Fails, and says why.',
  examples: [
    '- name: Refuse an old system\n  fail:\n    msg: Debian 11 or newer is needed, found {{ facts.os.name }}.\n  when: facts.os.major < 11\n',
  ],
  freeForm: 'msg',
  params: z.strictObject({
    msg: text().default('failed as the task asks for').describe('Why.'),
  }),
  probe: () => ({}),
  diff: ({ msg }) => {
    throw new TaskError('FAILED', msg)
  },
  apply: () => [],
  controller: true,
})
