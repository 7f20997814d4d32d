import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { flag, text } from './_params.ts'
import { defineModule, type Verdict } from './module.ts'

const verdict = z.custom<Verdict>(
  value => typeof value === 'object' && value !== null && 'holds' in value && 'text' in value,
  { message: 'a condition expected' },
)

export const assert = defineModule({
  name: 'assert',
  summary: 'Fails where a condition does not hold.',
  examples: [
    '- name: The host is large enough\n  assert:\n    that:\n      - facts.memory.total >= 4000000000\n      - facts.cpu.count >= 2\n    fail_msg: 4 GB of memory and 2 processors are needed.\n',
  ],
  deviations: [
    'Conditions are written in CEL, as in `when`.',
    'Every condition that does not hold is named, not only the first.',
  ],
  inputs: { that: 'condition' },
  params: z.strictObject({
    that: z
      .union([verdict, z.array(verdict).min(1)])
      .transform(that => (Array.isArray(that) ? that : [that]))
      .describe('Condition, or a list of them.'),
    fail_msg: text().optional().describe('What to say where one does not hold.'),
    msg: text().optional().describe('Same as `fail_msg`.'),
    success_msg: text().optional().describe('What to say where all hold.'),
    quiet: flag().default(false).describe('Accepted for Ansible playbooks; there is nothing to leave out.'),
  }),
  probe: () => ({}),
  diff: ({ that, fail_msg, msg }) => {
    const broken = that.filter(({ holds }) => !holds).map(({ text: words }) => `\`${words}\``)
    if (broken.length === 0) return []
    const verb = broken.length === 1 ? 'does' : 'do'
    const facts = `${broken.join(', ')} ${verb} not hold`
    const said = fail_msg ?? msg
    throw new TaskError('ASSERTION_FAILED', said === undefined ? facts : `${said} (${facts})`)
  },
  apply: () => [],
  controller: true,
  result: ({ success_msg }) => ({ msg: success_msg ?? 'all conditions hold' }),
})
