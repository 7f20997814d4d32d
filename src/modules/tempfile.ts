import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { path } from './_params.ts'
import { defineModule } from './module.ts'

const part = z.string().regex(/^[\w.+ @-]*$/, 'letters, digits, `.`, `-` and `_` expected')

export const tempfile = defineModule({
  name: 'tempfile',
  summary: 'Makes a file or folder with a name nobody knows before, open to its owner alone.',
  examples: [
    '- name: Make room for the unpacked release\n  tempfile:\n    state: directory\n    suffix: .release\n  register: room\n',
  ],
  deviations: [
    'Nothing can be compared: a new one is made in each run, and never in a plan. Remove it with `file` when you are through.',
    '`path` is `/var/tmp` where not given, which is not lost when the host restarts; Ansible takes `/tmp`.',
  ],
  params: z.strictObject({
    state: z.enum(['file', 'directory']).default('file').describe('What to make.'),
    path: path().default('/var/tmp').describe('Folder to make it in.'),
    prefix: part.default('ansible.').describe('How its name begins.'),
    suffix: part.default('').describe('How its name ends.'),
  }),
  probe: () => ({}),
  diff: ({ state, path: folder }): readonly Change[] => [
    { kind: 'create', what: folder, before: null, after: `a new ${state}` },
  ],
  apply: (_, { state, path: folder, prefix, suffix }) => [
    {
      do: 'run',
      // Not every mktemp takes something behind the X.
      script: lines(
        sh`umask 077; t=$(mktemp ${state === 'directory' ? sh`-d` : sh`-u`} ${`${folder}/${prefix}XXXXXXXXXX`}) || exit`,
        suffix !== '' &&
          state === 'directory' &&
          sh`[ ! -e "$t"${suffix} ] && mv -- "$t" "$t"${suffix} || exit; t=$t${suffix}`,
        state === 'file' && sh`t=$t${suffix}; set -C; : >"$t" || exit`,
        sh`printf '%s\\n' "$t"`,
      ),
      detached: false,
      capture: true,
    },
  ],
  checkable: () => false,
  verifiable: () => false,
  touches: () => [],
  said: ({ state }, { out }) => {
    const found = out.replace(/\n$/, '')
    if (!found.startsWith('/')) throw new TaskError('NO_ANSWER', 'the host did not say what it made')
    return { path: found, state, mode: state === 'directory' ? '0700' : '0600' }
  },
})
