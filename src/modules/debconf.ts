import { z } from 'zod'
import { Secret } from '../base/secret.ts'
import { debconf as debconfAnswer, debconfResource } from '../probes/debconf.ts'
import { PACKAGE_NAME } from '../probes/dpkg.ts'
import { lines, sh } from '../shell/sh.ts'
import { complain, flag, maybeSecret } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const question = z.string().regex(/^[^\s/]+\/\S+$/, 'a question such as `postfix/mailname` expected')
const value = maybeSecret().optional()

const params = z
  .strictObject({
    name: z.string().regex(PACKAGE_NAME).optional().describe('Package that asks the question.'),
    pkg: z.string().regex(PACKAGE_NAME).optional().describe('Same as `name`.'),
    question: question.optional().describe('The question, such as `tzdata/Areas`.'),
    selection: question.optional().describe('Same as `question`.'),
    setting: question.optional().describe('Same as `question`.'),
    vtype: z
      .enum([
        'boolean',
        'error',
        'multiselect',
        'note',
        'password',
        'seen',
        'select',
        'string',
        'text',
        'title',
      ])
      .describe('Sort of the question; `seen` says whether it counts as asked.'),
    value: value.describe('The answer.'),
    answer: value.describe('Same as `value`.'),
    unseen: flag().default(false).describe('Let the package ask all the same.'),
  })
  .transform(({ name, pkg, question: first, selection, setting, value: given, answer, ...rest }, context) => {
    const found = { name: name ?? pkg, question: first ?? selection ?? setting, value: given ?? answer }
    for (const [key, part] of Object.entries(found))
      if (part === undefined) complain(context, key, `\`${key}\` is missing`, 'MISSING_PARAM')
    const plain = found.value instanceof Secret ? found.value.reveal() : (found.value ?? '')
    if (plain.includes('\n')) complain(context, 'value', 'a line end found, which debconf cannot take')
    const isFlag = rest.vtype === 'boolean' || rest.vtype === 'seen'
    const word = isFlag ? plain.toLowerCase() : plain
    if (isFlag && word !== 'true' && word !== 'false')
      complain(context, 'value', `\`true\` or \`false\` expected for \`vtype: ${rest.vtype}\``)
    const isSecret = found.value instanceof Secret || rest.vtype === 'password'
    return {
      ...rest,
      name: found.name ?? '',
      question: found.question ?? '',
      value: isSecret ? new Secret(word) : word,
    }
  })

export const debconf = defineModule({
  name: 'debconf',
  summary: 'Answers a question of a Debian package before it is asked.',
  examples: [
    '- name: Say what sort of mail server this is\n  debconf:\n    name: postfix\n    question: postfix/main_mailer_type\n    vtype: select\n    value: Internet Site\n',
  ],
  deviations: [
    '`question`, `vtype` and `value` are required: to read answers, use `command` with `reads: true`.',
    'A value of `vtype: password` is never shown and never stands in a command line.',
  ],
  params,
  probe: ({ question: asked, vtype, value: wish }) => ({
    answer: debconfAnswer({
      question: asked,
      about: vtype === 'seen' ? 'seen' : wish instanceof Secret ? 'password' : 'value',
    }),
  }),
  diff: ({ question: asked, value: wish }, { answer }) =>
    changes(
      plainOf(answer) !== plainOf(wish) && {
        kind: 'answer',
        what: asked,
        before: answer instanceof Secret ? 'other answer' : answer,
        after: wish,
      },
    ),
  apply: (_, { name, question: asked, vtype, value: wish, unseen }) => {
    const line = `${name} ${asked} ${vtype} ${plainOf(wish) ?? ''}\n`
    return [
      {
        do: 'run',
        script: lines(
          needs('debconf-set-selections', 'debconf'),
          sh`export LC_ALL=C DEBIAN_FRONTEND=noninteractive
debconf-set-selections ${unseen ? ['-u'] : []}`,
        ),
        stdin: wish instanceof Secret ? new Secret(line) : line,
        detached: false,
      },
    ]
  },
  expect: ({ value: wish }) => ({ answer: wish }),
  touches: (_, { question: asked }) => [debconfResource(asked)],
  result: ({ question: asked }, { answer }) => ({
    question: asked,
    value: answer instanceof Secret ? null : answer,
  }),
})

function plainOf(answer: string | Secret | null): string | null {
  return answer instanceof Secret ? answer.reveal() : answer
}
