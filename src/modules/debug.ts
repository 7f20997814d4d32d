import { z } from 'zod'
import { complain } from './_params.ts'
import { defineModule } from './module.ts'

export const debug = defineModule({
  name: 'debug',
  summary: 'Prints a text or the value of a variable.',
  examples: [
    '- name: Say where the data lie\n  debug:\n    msg: The data of {{ inventory_hostname }} lie in {{ data_dir }}.\n',
    '- name: Show what the command said\n  debug: { var: answer }\n',
  ],
  deviations: ['`var` takes a path such as `answer.stdout`, not an expression.'],
  freeForm: 'msg',
  inputs: { var: 'variable' },
  params: z
    .strictObject({
      msg: z.unknown().optional().describe('What to print; data are printed as they are.'),
      var: z.unknown().optional().describe('Path of the variable to print.'),
      verbosity: z.coerce
        .number()
        .int()
        .min(0)
        .max(5)
        .default(0)
        .describe('Print it only where the command line has as many `-v`, or more.'),
    })
    .superRefine((given, context) => {
      if ('msg' in given && 'var' in given)
        complain(context, 'var', '`msg` and `var` found, one of them expected')
    }),
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  controller: true,
  result: params => ({
    msg: 'var' in params ? params.var : (params.msg ?? 'Hello world!'),
    ...(params.verbosity > 0 && { verbosity: params.verbosity }),
  }),
})
