import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { visible } from '../probes/stat.ts'
import { describe } from './_attributes.ts'
import { contentTouches, pathState, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow } from './_edit.ts'
import { withLine, withoutLines } from './_line-edit.ts'
import {
  anchor,
  complain,
  flag,
  maybeSecret,
  ownership,
  path,
  pattern,
  place,
  placed,
  validator,
} from './_params.ts'
import { defineModule } from './module.ts'

const ANCHOR = 'a pattern, or `BOF` or `EOF`'

const params = z
  .strictObject({
    ...place,
    destfile: path().optional().describe('Same as `path`.'),
    line: maybeSecret().optional().describe('The line as it should be.'),
    value: maybeSecret().optional().describe('Same as `line`.'),
    regexp: pattern()
      .optional()
      .describe('Pattern of the line to replace or remove; of several the last one counts.'),
    regex: pattern().optional().describe('Same as `regexp`.'),
    search_string: z.string().optional().describe('Text that the line to replace or remove holds.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the line should be there.'),
    insertafter: anchor()
      .optional()
      .describe(`Where a new line goes: after the last line that matches; ${ANCHOR}.`),
    insertbefore: anchor()
      .optional()
      .describe(`Where a new line goes: before the last line that matches; ${ANCHOR}.`),
    firstmatch: flag().default(false).describe('The first line that matches counts, not the last.'),
    backrefs: flag()
      .default(false)
      .describe(
        'Put what `regexp` matched in place of `\\1`, `\\g<name>` in `line`; without a match nothing is done.',
      ),
    create: flag().default(false).describe('Make the file where there is none.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
    ...ownership,
    validate: validator(),
  })
  .transform(({ path, dest, name, destfile, value, regex, ...given }, context) => {
    const line = given.line ?? value
    const regexp = given.regexp ?? regex
    const { search_string: search, state, backrefs } = given
    if (regexp && search !== undefined)
      complain(context, 'search_string', 'either `regexp` or `search_string` expected')
    if (given.insertafter && given.insertbefore)
      complain(context, 'insertbefore', 'either `insertafter` or `insertbefore` expected')
    if (state === 'present' && line === undefined)
      complain(context, 'line', '`line` is missing', 'MISSING_PARAM')
    if (state === 'absent' && line === undefined && !regexp && search === undefined) {
      complain(context, 'line', '`line`, `regexp` or `search_string` expected', 'MISSING_PARAM')
    }
    const shown = line instanceof Secret ? line.reveal() : line
    if (shown?.replace(/\n$/, '').includes('\n'))
      complain(context, 'line', 'several lines found; `blockinfile` is for those')
    if (backrefs && !regexp) complain(context, 'backrefs', '`regexp` expected with it', 'MISSING_PARAM')
    return { ...given, line, regexp, path: placed({ path, dest: dest ?? destfile, name }, context) }
  })

type Params = z.output<typeof params>

export const lineinfile = defineModule({
  name: 'lineinfile',
  summary: 'Makes sure that a text file has a line, or has it not.',
  examples: [
    '- name: Keep other users out of new files\n  lineinfile:\n    path: /etc/login.defs\n    regexp: "^UMASK"\n    line: UMASK 027\n',
    '- name: Log in with keys only\n  lineinfile:\n    path: /etc/ssh/sshd_config\n    regexp: "^#?PasswordAuthentication"\n    line: PasswordAuthentication no\n    validate: /usr/sbin/sshd -t -f %s\n',
  ],
  deviations: [
    'Patterns are read as Python reads them and run by JavaScript; what JavaScript cannot say (`(?x)`, conditions) is refused, and so is a pattern that takes too long.',
    'An edit that would change the file again at the next run is refused, and so are several lines in `line`.',
    'A line that is there already is never added again; with `firstmatch` Ansible adds one that stands below the match.',
    '`create` makes the file, not the folder it lies in.',
  ],
  params,
  probe: editQuestions,
  diff: (params, state) => {
    if (params.state === 'absent' && !textNow(params, state)) return []
    return editDiff(params, state, edited(params, state), isSecret(params))
  },
  apply: (found, params, state) => editActions(found, params, state, edited(params, state), isSecret(params)),
  expect: (params, state) => {
    const isGone = params.state === 'absent' && !textNow(params, state)
    return isGone ? state : editAfter(params, state, edited(params, state))
  },
  touches: (found, { path }) => contentTouches(found, [path]),
  result: ({ path }, state) => {
    const seen = visible(pathState(state, path))
    return { path, ...(seen && describe(seen)) }
  },
})

/** A secret line makes all of the file's text one. */
function isSecret({ line }: Params): boolean {
  return line instanceof Secret
}

/**
 * Returns the text as it should be.
 *
 * @throws TaskError with code `NOT_IDEMPOTENT` where the same edit would change it again: two lines match the pattern and
 * the new line does not, or what is put in grows with each run.
 */
function edited(params: Params, state: ContentState): string {
  const now = textNow(params, state)
  const given = params.line instanceof Secret ? params.line.reveal() : params.line
  const line = given === undefined ? undefined : asIn(now, given.replace(/\n$/, ''))
  const edit = {
    regexp: params.regexp,
    searchString: params.search_string,
    insertAfter: params.insertafter,
    insertBefore: params.insertbefore,
    firstMatch: params.firstmatch,
    backrefs: params.backrefs,
  }
  const text = now?.text ?? ''
  if (params.state === 'absent') return withoutLines(text, { ...edit, line })
  const after = withLine(text, { ...edit, line: line ?? '' })
  if (withLine(after, { ...edit, line: line ?? '' }) === after) return after
  throw new TaskError(
    'NOT_IDEMPOTENT',
    `the edit of \`${params.path}\` would change the file again each time`,
    'choose a pattern that matches one line only, the new line included',
  )
}
