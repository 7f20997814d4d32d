import { z } from 'zod'
import { text, words } from './_params.ts'
import { defineModule } from './module.ts'

export const group_by = defineModule({
  name: 'group_by',
  summary: 'Puts the host into a group, for later plays of the run.',
  examples: ['- name: Sort the hosts by system\n  group_by:\n    key: os_{{ facts.os.id }}\n'],
  deviations: ['It counts from the next play on, where the variables of the group are there as well.'],
  params: z.strictObject({
    key: text()
      .transform(key => key.trim().replaceAll(/\s+/g, '-'))
      .refine(key => /^[^,:[\]{}&!~*?]+$/.test(key), 'the name of a group expected')
      .describe('Name of the group; it comes to exist. Blanks become `-`.'),
    parents: words().default(['all']).describe('Groups that the group belongs to.'),
  }),
  probe: () => ({}),
  diff: () => [],
  apply: () => [],
  controller: true,
  adds: ({ key, parents }, host) => [
    { host, groups: [key], parents: parents.filter(parent => parent !== 'all'), vars: {} },
  ],
  result: ({ key, parents }) => ({ add_group: key, parent_groups: parents }),
})
