import { z } from 'zod'
import { complain, words } from './_params.ts'
import { defineModule } from './module.ts'

const NAME = /^[^\s,:[\]{}&!~*?]+$/
const VARIABLE = /^[A-Za-z_]\w*$/
const name = z.string().regex(NAME, 'the name of a host expected').optional()

const params = z
  .object({
    name: name.describe('Name of the host.'),
    hostname: name.describe('Same as `name`.'),
    host: name.describe('Same as `name`.'),
    groups: words().optional().describe('Groups it belongs to; new ones come to exist.'),
    groupname: words().optional().describe('Same as `groups`.'),
    group: words().optional().describe('Same as `groups`.'),
  })
  .catchall(z.unknown())
  .transform(({ name: own, hostname, host, groups, groupname, group, ...vars }, context) => {
    const found = own ?? hostname ?? host
    if (found === undefined) complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    const into = groups ?? groupname ?? group ?? []
    const odd = into.find(one => !NAME.test(one))
    if (odd !== undefined) complain(context, 'groups', `\`${odd}\` found, the name of a group expected`)
    for (const key of Object.keys(vars).filter(one => !VARIABLE.test(one)))
      complain(context, key, `\`${key}\` found, the name of a variable expected`)
    return { name: found ?? '', groups: into, vars }
  })

export const add_host = defineModule({
  name: 'add_host',
  summary: 'Adds a host to the inventory, for later plays of the run.',
  examples: [
    '- name: Take up the machine that was just made\n  add_host:\n    name: clinic-8\n    groups: [new, couchdb]\n    ansible_host: 10.0.0.8\n    ansible_user: ops\n',
  ],
  deviations: [
    'It counts from the next play on, and nothing is written to a file.',
    'Each host that runs it adds the host; Ansible runs it for the first one alone. Further parameters are variables of the host: values, never templates.',
    'A play that only has hosts that come to exist has its texts checked before the first connection all the same; where no task has added a host by then, a warning says so.',
  ],
  params,
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  controller: true,
  adds: ({ name: host, groups, vars }) => [{ host, groups, parents: [], vars }],
  result: ({ name: host, groups, vars }) => ({
    add_host: { host_name: host, groups, host_vars: vars },
  }),
})
