import { z } from 'zod'
import {
  checkCommand,
  commandActions,
  commandAfter,
  commandDiff,
  commandParams,
  commandQuestions,
  commandResult,
  isCheckable,
} from './_commands.ts'
import { complain, flag, text } from './_params.ts'
import { splitWords } from './_words.ts'
import { defineModule } from './module.ts'

/** What means something to a shell and nothing to a program. */
const OPERATORS = ['|', '||', '&', '&&', ';', '<', '>', '>>', '2>', '2>&1', '&>']
const PARAMS = /^(creates|removes|chdir|executable|stdin|argv|unless|warn)=/
/** Ansible puts the values of such variables in their place. */
const VARIABLE = /^~(\/|$)|\$\{?(HOME|USER|LOGNAME|PATH|PWD|SHELL|HOSTNAME|TMPDIR|LANG)\b/

export const command = defineModule({
  name: 'command',
  summary: 'Runs a program.',
  examples: [
    '- name: Make the keys of the server once\n  command:\n    cmd: ssh-keygen -A\n    creates: /etc/ssh/ssh_host_ed25519_key\n',
    '- name: Ask for the version\n  command:\n    argv: [nginx, -v]\n    reads: true\n  register: version\n',
  ],
  deviations: [
    '`reads: true` says that it only reads: then it runs in `plan` and `drift` as well.',
    '`unless` is a line of shell; where it ends with status 0 there is nothing to do.',
    'After it was run, `creates` must be there, `removes` must be gone and `unless` must hold, else the task fails.',
    'Variables such as `$HOME` and `~` are not replaced by their values but refused, unless `expand_argument_vars: false` says that they are meant as they stand.',
    'A word that only a shell understands, such as `|` or `>`, is refused where it is not quoted; so is `creates=…` within the text.',
    'Only the last line end of the output is left out.',
  ],
  freeForm: 'cmd',
  params: z
    .strictObject({
      cmd: text().optional().describe('Program and arguments as one text; no shell sees it.'),
      argv: z.array(text()).min(1).optional().describe('Program and arguments as a list.'),
      ...commandParams,
      expand_argument_vars: flag()
        .refine(value => !value, '`true` found; use `shell` where variables shall be replaced')
        .optional()
        .describe('Only `false`: pass words such as `$HOME` on as they stand.'),
    })
    .transform(({ cmd, argv: list, ...given }, context) => {
      if ((cmd === undefined) === (list === undefined))
        complain(context, 'cmd', 'either `cmd` or `argv` expected', 'MISSING_PARAM')
      checkCommand(given, context)
      const words = splitWords(cmd ?? '')
      if (words === undefined) complain(context, 'cmd', 'a quote that is not closed found')
      const stray = words?.find(word => word.isBare && OPERATORS.includes(word.text))
      if (stray)
        complain(
          context,
          'cmd',
          `\`${stray.text}\` found, which needs a shell; use the module \`shell\`, or quote it`,
        )
      const param = words?.find(word => word.isBare && PARAMS.test(word.text))
      if (param) complain(context, 'cmd', `\`${param.text}\` found; write it as a parameter of its own`)
      const argv = list ?? words?.map(word => word.text) ?? []
      const variable = argv.find(word => VARIABLE.test(word))
      if (variable !== undefined && given.expand_argument_vars === undefined) {
        complain(
          context,
          cmd === undefined ? 'argv' : 'cmd',
          `\`${variable}\` found, which no shell will replace; use the module \`shell\`, or say \`expand_argument_vars: false\``,
        )
      }
      if (list === undefined && words?.length === 0) complain(context, 'cmd', 'an empty command found')
      return { ...given, argv, shown: cmd ?? argv.join(' ') }
    }),
  probe: commandQuestions,
  diff: commandDiff,
  apply: (_, params) => commandActions(params),
  expect: commandAfter,
  touches: (_, { reads }) => (reads ? [] : undefined),
  checkable: isCheckable,
  verifiable: isCheckable,
  result: (params, state, found) => commandResult(params, state, params.argv, found),
})
