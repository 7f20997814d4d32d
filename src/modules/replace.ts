import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { visible } from '../probes/stat.ts'
import { describe } from './_attributes.ts'
import { contentTouches, pathState, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow } from './_edit.ts'
import { flag, maybeSecret, ownership, path, place, placed, textPattern, validator } from './_params.ts'
import { expandMatch, matchText } from './_regexp.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    ...place,
    destfile: path().optional().describe('Same as `path`.'),
    regexp: textPattern().describe('Pattern of the text to replace; `^` and `$` are the ends of each line.'),
    replace: maybeSecret()
      .default('')
      .describe('What to put in its place; `\\1`, `\\g<name>` stand for what matched.'),
    after: textPattern(true)
      .optional()
      .describe('Only text after the first match of this pattern; `.` stands for line ends as well.'),
    before: textPattern(true)
      .optional()
      .describe('Only text before the first match of this pattern; `.` stands for line ends as well.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
    encoding: z
      .string()
      .regex(/^utf-?8$/i, 'only `utf-8` expected')
      .default('utf-8')
      .describe('Encoding of new text: `utf-8`. Other bytes of the file stay as they are.'),
    ...ownership,
    validate: validator(),
  })
  .transform(({ path, dest, name, destfile, ...given }, context) => ({
    ...given,
    create: false,
    path: placed({ path, dest: dest ?? destfile, name }, context),
  }))

type Params = z.output<typeof params>

export const replace = defineModule({
  name: 'replace',
  summary: 'Replaces all that a pattern matches in a text file.',
  examples: [
    '- name: Move to the new mirror\n  replace:\n    path: /etc/apt/sources.list\n    regexp: "http://old\\\\.example\\\\.org/"\n    replace: http://new.example.org/\n',
    '- name: Comment out the old section\n  replace:\n    path: /etc/app.conf\n    after: "^\\\\[old\\\\]$"\n    before: "^\\\\["\n    regexp: "^(\\\\w.*)$"\n    replace: "# \\\\1"\n',
  ],
  deviations: [
    'Patterns are read as Python reads them and run by JavaScript; what JavaScript cannot say is refused, and so is a pattern that takes too long.',
    'An edit that would change the file again at the next run is refused.',
    'A missing file is refused in `plan` as well.',
  ],
  params,
  probe: editQuestions,
  diff: (params, state) => editDiff(params, state, edited(params, state), isSecret(params)),
  apply: (found, params, state) => editActions(found, params, state, edited(params, state), isSecret(params)),
  expect: (params, state) => editAfter(params, state, edited(params, state)),
  touches: (found, { path }) => contentTouches(found, [path]),
  result: ({ path }, state) => {
    const seen = visible(pathState(state, path))
    return { path, ...(seen && describe(seen)) }
  },
})

function isSecret({ replace: fresh }: Params): boolean {
  return fresh instanceof Secret
}

/** @throws TaskError with code `FILE_MISSING` or `NOT_IDEMPOTENT`. */
function edited(params: Params, state: ContentState): string {
  const now = textNow(params, state)
  if (!now) throw new TaskError('FILE_MISSING', `\`${params.path}\` is not there`)
  const given = params.replace instanceof Secret ? params.replace.reveal() : params.replace
  const fresh = asIn(now, given)
  const after = replaced(now.text, fresh, params)
  if (replaced(after, fresh, params) === after) return after
  throw new TaskError(
    'NOT_IDEMPOTENT',
    `the edit of \`${params.path}\` would change the file again each time`,
    'choose a pattern that does not match what is put in',
  )
}

function replaced(text: string, fresh: string, { regexp, after, before }: Params): string {
  const section = sectionOf(text, after, before)
  if (!section) return text
  let done = ''
  let at = section.start
  for (const match of matchText(regexp, text.slice(section.start, section.end))) {
    const start = section.start + match.index
    done += text.slice(at, start) + expandMatch(fresh, match)
    at = start + match[0].length
  }
  return text.slice(0, section.start) + done + text.slice(at)
}

/** Returns where the text to look at begins and ends, or undefined where one of the two patterns matches nothing. */
function sectionOf(
  text: string,
  after: RegExp | undefined,
  before: RegExp | undefined,
): { readonly start: number; readonly end: number } | undefined {
  const opening = after === undefined ? undefined : matchText(after, text)[0]
  if (after !== undefined && !opening) return undefined
  const start = opening ? opening.index + opening[0].length : 0
  if (before === undefined) return { start, end: text.length }
  const closing = matchText(before, text.slice(start))[0]
  return closing && { start, end: start + closing.index }
}
