import { z } from 'zod'
import { Secret } from '../base/secret.ts'
import { visible } from '../probes/stat.ts'
import { describe } from './_attributes.ts'
import { withBlock } from './_block-edit.ts'
import { contentTouches, pathState, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow } from './_edit.ts'
import { anchor, complain, flag, maybeSecret, ownership, path, place, placed, validator } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    ...place,
    destfile: path().optional().describe('Same as `path`.'),
    block: maybeSecret().optional().describe('Lines between the markers; without any, the block is removed.'),
    content: maybeSecret().optional().describe('Same as `block`.'),
    marker: z
      .string()
      .regex(/^[^\n]*\{mark\}[^\n]*$/, 'one line with `{mark}` expected')
      .default('# {mark} ANSIBLE MANAGED BLOCK')
      .describe('Line before and after the block; `{mark}` stands for the words below.'),
    marker_begin: z.string().default('BEGIN').describe('Word in the marker before the block.'),
    marker_end: z.string().default('END').describe('Word in the marker after the block.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the block should be there.'),
    insertafter: anchor()
      .optional()
      .describe('Where a new block goes: after the last line that matches, `BOF` or `EOF`.'),
    insertbefore: anchor()
      .optional()
      .describe('Where a new block goes: before the last line that matches, `BOF` or `EOF`.'),
    create: flag().default(false).describe('Make the file where there is none.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
    append_newline: flag().default(false).describe('Keep an empty line after the block.'),
    prepend_newline: flag().default(false).describe('Keep an empty line before the block.'),
    ...ownership,
    validate: validator(),
  })
  .transform(({ path, dest, name, destfile, content, ...given }, context) => {
    if (given.insertafter && given.insertbefore)
      complain(context, 'insertbefore', 'either `insertafter` or `insertbefore` expected')
    if (given.marker_begin === given.marker_end)
      complain(context, 'marker_end', 'other words than in `marker_begin` expected')
    return {
      ...given,
      block: given.block ?? content ?? '',
      path: placed({ path, dest: dest ?? destfile, name }, context),
    }
  })

type Params = z.output<typeof params>

export const blockinfile = defineModule({
  name: 'blockinfile',
  summary: 'Keeps lines between two markers in a text file.',
  examples: [
    '- name: Name the other servers\n  blockinfile:\n    path: /etc/hosts\n    marker: "# {mark} cluster"\n    block: |\n      10.0.0.11 db1\n      10.0.0.12 db2\n',
  ],
  deviations: [
    'Where one of the markers is missing, doubled or out of order, the task fails; Ansible adds another block.',
    '`create` makes the file, not the folder it lies in.',
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

function isSecret({ block }: Params): boolean {
  return block instanceof Secret
}

function edited(params: Params, state: ContentState): string {
  const { path, marker, block } = params
  const now = textNow(params, state)
  const wanted = block instanceof Secret ? block.reveal() : block
  return withBlock(now?.text ?? '', {
    path,
    block: params.state === 'present' ? asIn(now, wanted) : '',
    begin: asIn(
      now,
      marker.replaceAll('{mark}', () => params.marker_begin),
    ),
    end: asIn(
      now,
      marker.replaceAll('{mark}', () => params.marker_end),
    ),
    insertAfter: params.insertafter,
    insertBefore: params.insertbefore,
    prependNewline: params.prepend_newline,
    appendNewline: params.append_newline,
  })
}
