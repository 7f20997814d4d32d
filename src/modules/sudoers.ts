import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { ACCOUNT_NAME } from '../probes/accounts.ts'
import { visible } from '../probes/stat.ts'
import { lines, sh } from '../shell/sh.ts'
import {
  contentActions,
  contentAfter,
  contentDiff,
  contentQuestions,
  contentTouches,
  pathState,
  type FileWish,
} from './_content.ts'
import { complain, flag, path } from './_params.ts'
import { inside } from './_paths.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]*$/, 'a name without `.`, `~` and `/` expected; sudo reads no others')
      .describe('Name of the file that holds the rule.'),
    user: z.string().regex(ACCOUNT_NAME).optional().describe('User that the rule is for.'),
    group: z.string().regex(ACCOUNT_NAME).optional().describe('Group that the rule is for.'),
    commands: z
      .union([z.string(), z.array(z.string()).min(1)])
      .transform(given => [given].flat())
      .optional()
      .describe('Commands by their full paths, or `ALL`.'),
    host: z.string().regex(/^\S+$/).default('ALL').describe('Hosts where the rule holds.'),
    runas: z
      .string()
      .regex(/^[^()\n]+$/)
      .optional()
      .describe('User, or `user:group`, that the commands may be run as; root where not given.'),
    nopassword: flag().default(true).describe('Ask for no password.'),
    noexec: flag().default(false).describe('The commands may start no others.'),
    setenv: flag().default(false).describe('The environment may be kept.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the rule should be there.'),
    sudoers_path: path().default('/etc/sudoers.d').describe('Folder of the file.'),
    validation: z
      .enum(['detect', 'required'])
      .default('detect')
      .describe('`required` fails where `visudo` is missing; where it is there, it always checks the rule.'),
  })
  .superRefine(({ state, user, group, commands }, context) => {
    if (state === 'absent') return
    if ((user === undefined) === (group === undefined))
      complain(context, 'user', 'either `user` or `group` expected', 'MISSING_PARAM')
    if (commands === undefined) complain(context, 'commands', '`commands` is missing', 'MISSING_PARAM')
    if (commands?.some(command => /[\n\0]/.test(command)))
      complain(context, 'commands', 'a line break found in a command')
  })
type Params = z.output<typeof params>

export const sudoers = defineModule({
  name: 'sudoers',
  summary: 'Lets a user or group run commands as another user with sudo.',
  examples: [
    '- name: Let the monitor look at the disks\n  sudoers:\n    name: monitor\n    user: monitor\n    commands: [/usr/sbin/smartctl -a *]\n',
    '- name: Let operators become root, with their password\n  sudoers: { name: operators, group: operators, commands: ALL, runas: "ALL:ALL", nopassword: false }\n',
  ],
  deviations: [
    'The rule is always checked where `visudo` is there; `validation: absent` is not known.',
    'A name with a dot or a tilde is refused: sudo ignores such files.',
    'A file that holds anything else than this one rule is rewritten as a whole, with owner root and mode 0440.',
  ],
  params,
  probe: (wish, host) => contentQuestions(fileOf(wish).path, fileOf(wish).content, host),
  diff: (wish, state): readonly Change[] => {
    const file = fileOf(wish)
    if (wish.state === 'present') return contentDiff(file, state)
    const seen = visible(pathState(state, file.path))
    if (seen?.kind === 'directory') throw new TaskError('NOT_A_FILE', `\`${file.path}\` is a folder`)
    return seen ? [{ kind: 'state', what: file.path, before: seen.kind, after: 'absent' }] : []
  },
  apply: (found, wish, state) => {
    const file = fileOf(wish)
    if (wish.state === 'absent') return [{ do: 'run', script: sh`rm -f -- ${file.path}`, detached: false }]
    const tool = lines(needs('visudo', 'sudo'))
    return [
      ...(wish.validation === 'required' ? [{ do: 'run', script: tool, detached: false } as const] : []),
      ...contentActions(found, file, state),
    ]
  },
  expect: (wish, state) =>
    wish.state === 'present'
      ? { ...state, ...contentAfter(fileOf(wish), state) }
      : { ...state, [fileOf(wish).path]: null, [`sum ${fileOf(wish).path}`]: null },
  touches: (found, wish) => contentTouches(found, [fileOf(wish).path]),
  result: wish => ({ name: wish.name, state: wish.state, path: fileOf(wish).path }),
})

function fileOf(wish: Params): FileWish {
  const folder = wish.sudoers_path
  return {
    path: inside(folder, wish.name),
    content: ruleOf(wish),
    mode: '0440',
    owner: 'root',
    group: 'root',
    force: true,
    follow: false,
    backup: false,
    // The folder that sudo reads has its check built in.
    ...(folder !== '/etc/sudoers.d' && { validate: 'command -v visudo >/dev/null || exit 0; visudo -cf %s' }),
  }
}

function ruleOf({ user, group, host, runas, noexec, nopassword, setenv, commands = [] }: Params): string {
  const tags = [noexec && 'NOEXEC:', nopassword && 'NOPASSWD:', setenv && 'SETENV:'].filter(Boolean).join('')
  const whom = runas === undefined ? '' : `(${runas})`
  return `${user ?? `%${group ?? ''}`} ${host}=${whom}${tags} ${commands.join(', ')}\n`
}
