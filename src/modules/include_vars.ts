import { z } from 'zod'
import { complain } from './_params.ts'
import type { LocalVars } from './_local.ts'
import { defineModule } from './module.ts'

const NOTHING: LocalVars = { path: '', files: [], names: [], maps: [] }
const vars = z
  .custom<LocalVars>(
    value => typeof value === 'object' && value !== null && 'names' in value,
    'a file or folder of the project expected',
  )
  .optional()

export const include_vars = defineModule({
  name: 'include_vars',
  summary: 'Reads variables of the host from a file or folder of the project, for the rest of the run.',
  examples: [
    '- name: Know how this system names things\n  include_vars:\n    file: "{{ facts.os.id }}.yml"\n',
    '- name: Read all settings of the application\n  include_vars:\n    dir: app\n    name: app\n',
  ],
  deviations: [
    'Files are looked for in `vars/` beside the playbook and in the role, like files and templates; of a folder, files whose names end in `.yml`, `.yaml`, `.json` or have no dot count, in the order of their paths.',
    'Before the first connection all files are read that a name with a template may come to; what none of them sets is an undefined variable.',
    '`depth`, `extensions`, `files_matching`, `ignore_files` and `hash_behaviour` are not taken.',
  ],
  freeForm: 'file',
  inputs: { file: 'vars', dir: 'vars' },
  params: z
    .strictObject({
      file: vars.describe('File with a map of variables, or with nothing.'),
      dir: vars.describe('Folder with such files; those in folders below it come as well.'),
      name: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, 'the name of a variable expected')
        .optional()
        .describe('Variable that holds all of them as a map; else they are variables themselves.'),
    })
    .transform(({ file, dir, name }, context) => {
      const from = file ?? dir
      if (from === undefined || (file && dir))
        complain(context, 'file', 'either `file` or `dir` expected', 'MISSING_PARAM')
      return { from: from ?? NOTHING, under: name }
    }),
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  controller: true,
  includes: ({ from, under }) => ({ from, under }),
  result: ({ from }) => ({ ansible_included_var_files: from.files }),
})
