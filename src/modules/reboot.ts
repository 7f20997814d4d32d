import { z } from 'zod'
import { exists } from '../probes/exists.ts'
import { sh } from '../shell/sh.ts'
import { flag, text } from './_params.ts'
import { changes, defineModule } from './module.ts'

const seconds = () => z.coerce.number().int().nonnegative()
const COMMAND = /^[^\n\0]+$/

export const reboot = defineModule({
  name: 'reboot',
  summary: 'Restarts the host and waits until it is back.',
  examples: [
    '- name: Start the new kernel\n  reboot:\n    reboot_timeout: 900\n    msg: Restarting for a new kernel\n',
    '- name: Restart only where packages ask for it\n  reboot: { only_if_required: true }\n',
  ],
  deviations: [
    'The host counts as back when it answers over a new connection in another life: with another identifier of the kernel, or another start of its first process.',
    'A life that cannot be told is not yet an answer; only `reboot_timeout` ends the waiting.',
    '`test_command` is `true` where not given: a shell has answered by then.',
    '`boot_time_command`, `search_paths` and `connect_timeout` are accepted for Ansible playbooks; they have no effect.',
    'A restart is no state: `drift` passes over it. With `only_if_required`, which Ansible has not, it is one, and drift names a host that asks for a restart.',
  ],
  params: z.strictObject({
    reboot_timeout: seconds().default(600).describe('Seconds that the host may take.'),
    only_if_required: flag()
      .default(false)
      .describe(
        'Restart only where the host asks for it by `/run/reboot-required`, as Debian and its kin do.',
      ),
    pre_reboot_delay: seconds().default(0).describe('Seconds to wait before.'),
    post_reboot_delay: seconds().default(0).describe('Seconds to wait once it answers again.'),
    msg: text()
      .default('The host is restarted by msingi')
      .describe('What people who are logged in are told.'),
    test_command: z
      .string()
      .regex(COMMAND)
      .default('true')
      .describe('Line of shell that ends with status 0 once the host counts as back.'),
    reboot_command: z
      .string()
      .regex(COMMAND)
      .optional()
      .describe('Line of shell that restarts the host; `shutdown -r now` where not given.'),
    connect_timeout: seconds().optional().describe('Accepted for Ansible playbooks; no effect.'),
    boot_time_command: z.string().optional().describe('Accepted for Ansible playbooks; no effect.'),
    search_paths: z.array(z.string()).optional().describe('Accepted for Ansible playbooks; no effect.'),
  }),
  probe: ({ only_if_required: asks }) => (asks ? { required: exists('/run/reboot-required') } : {}),
  diff: ({ only_if_required: asks }, { required }) =>
    changes(
      (!asks || required === true) && {
        kind: 'reboot',
        what: 'host',
        before: asks ? 'restart required' : 'running',
        after: 'started anew',
      },
    ),
  apply: (_, wish) => [
    {
      do: 'reboot',
      command:
        wish.reboot_command === undefined
          ? sh`shutdown -r now ${wish.msg} || systemctl reboot || reboot`
          : sh`eval ${wish.reboot_command}`,
      test: sh`sh -c ${wish.test_command} </dev/null >/dev/null 2>&1`,
      seconds: wish.reboot_timeout,
      preDelay: wish.pre_reboot_delay,
      postDelay: wish.post_reboot_delay,
    },
  ],
  expect: ({ only_if_required: asks }) => (asks ? { required: false } : {}),
  verifiable: ({ only_if_required: asks }) => asks,
  said: (_, { ms }) => ({ rebooted: true, elapsed: Math.round(ms / 1000) }),
})
