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
import { complain, path, text } from './_params.ts'
import { splitWords } from './_words.ts'
import { defineModule } from './module.ts'

const PARAMS = /^(creates|removes|chdir|executable|stdin|unless|warn)=/

export const shell = defineModule({
  name: 'shell',
  summary: 'Runs a line or a script of shell.',
  examples: [
    '- name: Load the schema once\n  shell:\n    cmd: psql app < schema.sql && touch .loaded\n    chdir: /srv/app\n    creates: .loaded\n',
    '- name: Count the errors of today\n  shell:\n    cmd: set -o pipefail; journalctl -p err --since today | wc -l\n    executable: /bin/bash\n    reads: true\n  register: errors\n',
  ],
  deviations: [
    '`reads: true` says that it only reads: then it runs in `plan` and `drift` as well.',
    '`unless` is a line of shell; where it ends with status 0 there is nothing to do.',
    'After it was run, `creates` must be there, `removes` must be gone and `unless` must hold, else the task fails.',
    '`creates=…` and the like at the end of the text are refused; they are parameters of their own.',
    'Only the last line end of the output is left out.',
  ],
  freeForm: 'cmd',
  params: z
    .strictObject({
      cmd: text().pipe(z.string().regex(/\S/)).describe('What the shell runs.'),
      executable: path().default('/bin/sh').describe('The shell.'),
      ...commandParams,
    })
    .transform((given, context) => {
      checkCommand(given, context)
      const last = splitWords(given.cmd)?.at(-1)
      if (last?.isBare === true && PARAMS.test(last.text)) {
        complain(context, 'cmd', `\`${last.text}\` found; write it as a parameter of its own`)
      }
      return { ...given, argv: [given.executable, '-c', given.cmd], shown: given.cmd }
    }),
  probe: commandQuestions,
  diff: commandDiff,
  apply: (_, params) => commandActions(params),
  expect: commandAfter,
  touches: (_, { reads }) => (reads ? [] : undefined),
  checkable: isCheckable,
  verifiable: isCheckable,
  result: (params, state, found) => commandResult(params, state, params.cmd, found),
})
