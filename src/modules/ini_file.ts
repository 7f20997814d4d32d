import { z } from 'zod'
import { plainText, Secret } from '../base/secret.ts'
import { visible } from '../probes/stat.ts'
import { describe } from './_attributes.ts'
import { contentTouches, pathState, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow } from './_edit.ts'
import { withOption } from './_ini.ts'
import { complain, flag, maybeSecret, ownership, place, placed } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    ...place,
    section: z.string().optional().describe('Name of the section; not given: before the first one.'),
    option: z.string().min(1).optional().describe('Name of the option; not given: the section itself.'),
    value: maybeSecret().optional().describe('Value of the option.'),
    values: z.array(maybeSecret()).optional().describe('Values of an option that stands in several lines.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
    exclusive: flag()
      .default(true)
      .describe('Leave no other lines of the option; with `absent`, remove it whatever its value.'),
    no_extra_spaces: flag().default(false).describe('Write `a=b` in place of `a = b`.'),
    ignore_spaces: flag().default(false).describe('A line that differs in blanks alone is right.'),
    allow_no_value: flag().default(false).describe('The option may stand without `=` and value.'),
    modify_inactive_option: flag()
      .default(true)
      .describe('A line that is commented out becomes the option where there is no other.'),
    create: flag().default(true).describe('Make the file where there is none.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
    follow: flag().default(true).describe('Accepted for Ansible playbooks; links are always followed.'),
    ...ownership,
  })
  .transform(({ path, dest, name, value, ...given }, context) => {
    if (value !== undefined && given.values !== undefined)
      complain(context, 'values', 'either `value` or `values` expected')
    const values = given.values ?? (value === undefined ? [] : [value])
    const { option, state } = given
    if (state === 'present' && option !== undefined && values.length === 0 && !given.allow_no_value)
      complain(context, 'value', '`value` is missing', 'MISSING_PARAM')
    if (option === undefined && given.section === undefined)
      complain(context, 'section', '`section` or `option` expected', 'MISSING_PARAM')
    if (/[=\n]|^[#;[\s]/.test(option ?? '')) complain(context, 'option', 'the name of an option expected')
    if (/[\]\n]/.test(given.section ?? '')) complain(context, 'section', 'the name of a section expected')
    if (values.some(one => plainText(one).includes('\n')))
      complain(context, 'value', 'several lines found, one expected')
    return { ...given, values, path: placed({ path, dest, name }, context) }
  })

type Params = z.output<typeof params>

export const ini_file = defineModule({
  name: 'ini_file',
  summary: 'Keeps an option in a file with sections, or keeps it out.',
  examples: [
    '- name: Limit the journal\n  ini_file:\n    path: /etc/systemd/journald.conf\n    section: Journal\n    option: SystemMaxUse\n    value: 1G\n    no_extra_spaces: true\n',
  ],
  deviations: [
    'A line that already says it is left as it is; one that is commented out is taken only where no other says it.',
    'Blanks at the end of a value do not count.',
    '`create` makes the file, not the folder it lies in.',
    '`section_has_values` is not taken: sections of one name are told apart by their place alone, the first counts.',
  ],
  params,
  probe: editQuestions,
  diff: (params, state) =>
    isAway(params, state) ? [] : editDiff(params, state, edited(params, state), isSecret(params)),
  apply: (found, params, state) => editActions(found, params, state, edited(params, state), isSecret(params)),
  expect: (params, state) =>
    isAway(params, state) ? state : editAfter(params, state, edited(params, state)),
  touches: (found, { path }) => contentTouches(found, [path]),
  result: ({ path }, state) => {
    const seen = visible(pathState(state, path))
    return { path, ...(seen && describe(seen)) }
  },
})

/** Nothing to remove from a file that is not there. */
function isAway(params: Params, state: ContentState): boolean {
  return params.state === 'absent' && !textNow(params, state)
}

function isSecret({ values }: Params): boolean {
  return values.some(value => value instanceof Secret)
}

function edited(params: Params, state: ContentState): string {
  const now = textNow(params, state)
  return withOption(now?.text ?? '', {
    section: params.section === undefined ? undefined : asIn(now, params.section),
    option: params.option === undefined ? undefined : asIn(now, params.option),
    values: params.values.map(value => asIn(now, plainText(value).trimEnd())),
    state: params.state,
    exclusive: params.exclusive,
    noSpaces: params.no_extra_spaces,
    ignoreSpaces: params.ignore_spaces,
    allowNoValue: params.allow_no_value,
    takesInactive: params.modify_inactive_option,
  })
}
