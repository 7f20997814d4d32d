import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { Probe } from '../probes/probe.ts'
import { sshd, type SshdAnswer, type SshdLogin } from '../probes/sshd.ts'
import {
  contentActions,
  contentAfter,
  contentDiff,
  contentQuestions,
  contentTouches,
  type ContentQuestions,
  type FileWish,
} from './_content.ts'
import { complain, flag, ownership, path, text } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    src: text().optional().describe('Template of the project, looked for in `templates/`.'),
    content: text().optional().describe('The settings as text.'),
    dest: path()
      .default('/etc/ssh/sshd_config.d/00-settings.conf')
      .describe('File of the settings. Of settings that are made twice, sshd takes the first.'),
    ...ownership,
    backup: flag().default(false).describe('Keep the file as it was.'),
    allow_lockout: flag()
      .default(false)
      .describe('Write settings that do not let in the user that the host is reached as.'),
  })
  .transform(({ src, content, ...given }, context) => {
    if ((src === undefined) === (content === undefined))
      complain(context, 'src', 'either `src` or `content` expected', 'MISSING_PARAM')
    const settings = src ?? content ?? ''
    return { ...given, settings: settings.endsWith('\n') ? settings : `${settings}\n` }
  })
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly sshd: Probe<SshdAnswer> }

export const sshd_config = defineModule({
  name: 'sshd_config',
  summary: 'Writes settings of sshd that let in whoever is logged in now.',
  examples: [
    '- name: Let in keys only\n  sshd_config:\n    content: |\n      PasswordAuthentication no\n      KbdInteractiveAuthentication no\n      PermitRootLogin no\n  notify: Reload sshd\n',
  ],
  deviations: [
    'Ansible has no such module.',
    'sshd itself is asked what it would make of all its files with this one in place, for the user that the host is reached as. Settings that would not let that user in again are refused: root without `PermitRootLogin`, a password without `PasswordAuthentication`, lists of users and groups that the user is not on.',
    'Lists that name hosts beside users count as if the host fitted.',
    'A file that no other file of sshd includes is refused: it would mean nothing.',
    'sshd is not told; notify a handler that reloads it.',
  ],
  inputs: { src: 'template' },
  params,
  probe: (wish, host): Questions => ({
    ...contentQuestions(wish.dest, wish.settings, host),
    sshd: sshd({ file: wish.dest, text: wish.settings, user: host.login?.user ?? 'root', login: host.login }),
  }),
  diff: (wish, state): readonly Change[] => {
    const found = contentDiff(fileOf(wish), state)
    requireSettings(wish, state.sshd)
    if (found.length > 0 && !wish.allow_lockout) requireLogin(state.sshd)
    return found
  },
  apply: (found, wish, state) => contentActions(found, fileOf(wish), state),
  expect: (wish, state) => ({ ...state, ...contentAfter(fileOf(wish), state) }),
  touches: (found, { dest }) => contentTouches(found, [dest]),
  result: ({ dest }) => ({ dest }),
})

function fileOf({ dest, settings, backup, mode, owner, group }: Params): FileWish {
  return { path: dest, content: settings, backup, mode, owner, group, force: true, follow: true }
}

function requireSettings({ dest }: Params, { problem, complaint }: SshdAnswer): void {
  if (problem === 'missing')
    throw new TaskError('SSHD_MISSING', 'there is no sshd on the host', 'install `openssh-server` first')
  if (problem === 'denied') {
    throw new TaskError(
      'PROBE_UNREADABLE',
      'the settings of sshd may not be read',
      'run the task with `become: true`',
    )
  }
  if (problem === 'passed-over') {
    throw new TaskError(
      'SSHD_PASSED_OVER',
      `sshd does not read \`${dest}\``,
      'put `Include /etc/ssh/sshd_config.d/*.conf` at the beginning of `/etc/ssh/sshd_config`',
    )
  }
  if (problem === 'invalid')
    throw new TaskError('SSHD_INVALID', `sshd refuses the settings in \`${dest}\`: ${complaint}`)
}

/** A lock-out costs a day of driving. */
function requireLogin({ login, settings, groups }: SshdAnswer): void {
  if (login === null) return
  const why = obstacle(login, groups, key => settings[key] ?? [])
  if (why === undefined) return
  throw new TaskError(
    'SSHD_LOCKS_OUT',
    `these settings would lock out \`${login.user}\`, as whom the host is reached: ${why}`,
    'log in as a user whom they let in, change them, or set `allow_lockout: true`',
  )
}

function obstacle(
  { user, key }: SshdLogin,
  groups: readonly string[],
  of: (key: string) => readonly string[],
): string | undefined {
  const says = (name: string, word: string): boolean => of(name)[0] === word
  if (user === 'root' && (says('permitrootlogin', 'no') || says('permitrootlogin', 'forced-commands-only')))
    return `\`PermitRootLogin ${of('permitrootlogin')[0]}\``
  if (key !== undefined && says('pubkeyauthentication', 'no')) return '`PubkeyAuthentication no`'
  const asksPassword = !says('passwordauthentication', 'no') || !says('kbdinteractiveauthentication', 'no')
  if (key === undefined && !asksPassword) return 'no password is asked for, and it was reached without a key'
  const names = (list: string, given: readonly string[]): boolean => given.some(name => fits(name, of(list)))
  if (names('denyusers', [user])) return '`DenyUsers` names it'
  if (of('allowusers').length > 0 && !names('allowusers', [user])) return '`AllowUsers` does not name it'
  if (names('denygroups', groups)) return '`DenyGroups` names a group of it'
  if (of('allowgroups').length > 0 && !names('allowgroups', groups))
    return '`AllowGroups` names no group of it'
  return undefined
}

/** Tells whether a list of patterns takes the name; one that begins with `!` shuts it out. */
function fits(name: string, patterns: readonly string[]): boolean {
  const matches = (pattern: string): boolean => {
    const source = (pattern.split('@')[0] ?? '').replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name)
  }
  if (patterns.some(pattern => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some(pattern => !pattern.startsWith('!') && matches(pattern))
}
