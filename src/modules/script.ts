import { z } from 'zod'
import type { Registered } from '../base/result.ts'
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
import { complain, isLocalFile, local, path, text } from './_params.ts'
import { splitWords } from './_words.ts'
import type { LocalFile } from './_local.ts'
import { defineModule } from './module.ts'

const { creates, removes, unless, chdir } = commandParams

export const script = defineModule({
  name: 'script',
  summary: 'Runs a script of the project on the host.',
  examples: [
    '- name: Prepare the data folder once\n  script:\n    cmd: prepare.sh\n    args: --size 10G\n    creates: /srv/data/.prepared\n',
  ],
  deviations: [
    'The script is read by its interpreter from standard input: no copy of it is left on the host, and it needs no permission to be run. It cannot read anything else from there.',
    'Arguments stand in `args`, not behind the name of the script.',
    '`unless` is a line of shell; where it ends with status 0 there is nothing to do.',
    'After it was run, `creates` must be there, `removes` must be gone and `unless` must hold, else the task fails.',
    'The interpreter is that of the first line (`#!`) where `executable` is not given, else `/bin/sh`.',
  ],
  freeForm: 'cmd',
  inputs: { cmd: 'file' },
  params: z
    .strictObject({
      cmd: local().describe('Script of the project, looked for in `files/`.'),
      args: text().default('').describe('Arguments of the script.'),
      executable: path().optional().describe('Interpreter; it must read scripts from standard input.'),
      chdir,
      creates,
      removes,
      unless,
    })
    .transform(({ cmd, args, executable, ...given }, context) => {
      checkCommand({ ...given, reads: false, stdin: undefined }, context)
      const words = splitWords(args)?.map(word => word.text)
      if (!words) complain(context, 'args', 'a quote that is not closed found')
      if (!isLocalFile(cmd)) complain(context, 'cmd', 'a folder found, a script expected')
      const source = isLocalFile(cmd) ? sourceOf(cmd) : ''
      if (source === undefined) complain(context, 'cmd', 'a text in UTF-8 without NUL bytes expected')
      return {
        ...given,
        reads: false,
        stdin: source ?? '',
        stdin_add_newline: false,
        argv: [...interpreterOf(executable, source ?? ''), ...(words ?? [])],
        shown: [cmd.path.replace(/^.*\//, ''), ...(words ?? [])].join(' '),
      }
    }),
  probe: commandQuestions,
  diff: commandDiff,
  apply: (_, params) => commandActions(params),
  expect: commandAfter,
  checkable: isCheckable,
  verifiable: isCheckable,
  result: (params, state, found): Registered => commandResult(params, state, params.shown, found),
})

function sourceOf(file: LocalFile): string | undefined {
  const bytes = Buffer.from(file.content())
  const source = bytes.toString('utf8')
  return source.includes('\0') || !Buffer.from(source).equals(bytes) ? undefined : source
}

/** Shells take `-s`, other interpreters `-`, for "from standard input, and what follows are arguments". */
function interpreterOf(executable: string | undefined, source: string): readonly string[] {
  const own = /^#!\s*(\S.*?)\s*$/m.exec(source.startsWith('#!') ? (source.split('\n')[0] ?? '') : '')?.[1]
  const words = executable === undefined ? (own?.split(/\s+/) ?? ['/bin/sh']) : [executable]
  const isShell = words.some(word => /^(.*\/)?(ba|da|k|mk|z|a)?sh$/.test(word))
  return isShell ? [...words, '-s', '--'] : [...words, '-']
}
