import { z } from 'zod'
import type { Registered } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { followed, visible } from '../probes/stat.ts'
import { describe } from './_attributes.ts'
import {
  contentActions,
  contentAfter,
  contentDiff,
  contentQuestions,
  contentTouches,
  pathState,
  sumOf,
  type ContentState,
  type FileWish,
} from './_content.ts'
import { flag, maybeSecret, ownership, path, validator } from './_params.ts'
import { newUnits } from './_new-units.ts'
import { defineModule } from './module.ts'

const params = z.strictObject({
  src: maybeSecret().describe('Template of the project, looked for in `templates/`.'),
  dest: path().describe('Absolute path of the file on the host.'),
  ...ownership,
  force: flag().default(true).describe('Replace a file that has other content.'),
  follow: flag()
    .default(false)
    .describe('Write to where a symbolic link leads, rather than replacing the link.'),
  backup: flag().default(false).describe('Keep the file that is replaced.'),
  validate: validator(),
  newline_sequence: z
    .enum(['\n', '\r', '\r\n', '\\n', '\\r', '\\r\\n'])
    .default('\n')
    .describe('How lines of the file end.'),
})

export const template = defineModule({
  name: 'template',
  summary: 'Renders a template of the project and puts the text on the host.',
  examples: [
    '- name: Write the settings\n  template:\n    src: app.conf.hbs\n    dest: /etc/app/app.conf\n    mode: "0644"\n    validate: /usr/sbin/app --check %s\n',
  ],
  deviations: [
    'Templates are Handlebars; a `.j2` template works where it holds plain `{{ variables }}` only.',
    '`dest` is the path of the file, never that of the folder it lies in.',
  ],
  inputs: { src: 'template' },
  params,
  probe: (params, host) => contentQuestions(params.dest, wishOf(params).content, host),
  diff: (params, state) => contentDiff(wishOf(params), state),
  apply: (found, params, state) => contentActions(found, wishOf(params), state),
  expect: (params, state) => ({ ...state, ...contentAfter(wishOf(params), state) }),
  touches: (found, { dest }) => contentTouches(found, [dest]),
  foretells: (found, params) => newUnits(found, [wishOf(params)]),
  result: register,
})

type Params = z.output<typeof params>

function wishOf({ src, dest, newline_sequence: newline, ...rest }: Params): FileWish {
  const ending = newline.replaceAll('\\n', '\n').replaceAll('\\r', '\r')
  const convert = (text: string): string => (ending === '\n' ? text : text.replaceAll(/\r?\n/g, ending))
  const content = src instanceof Secret ? new Secret(convert(src.reveal())) : convert(src)
  return { ...rest, path: dest, content }
}

function register(params: Params, state: ContentState): Registered {
  const { dest, follow, src } = params
  const answer = pathState(state, dest)
  const seen = follow ? followed(answer) : visible(answer)
  const sum = src instanceof Secret ? {} : { checksum: sumOf(wishOf(params).content) }
  return { dest, ...sum, ...(seen && describe(seen)) }
}
