import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { readable } from '../probes/checksum.ts'
import { bytesOf, text } from '../probes/text.ts'
import { complain, path } from './_params.ts'
import { defineModule } from './module.ts'

export const slurp = defineModule({
  name: 'slurp',
  summary: 'Reads a file of the host, for `register`.',
  examples: [
    '- name: Read the key of the server\n  slurp:\n    src: /etc/ssh/ssh_host_ed25519_key.pub\n  register: key\n',
  ],
  deviations: ['Files of more than 8 MiB are refused; `fetch` is for those.'],
  params: z
    .strictObject({
      src: path().optional().describe('Absolute path of the file.'),
      path: path().optional().describe('Same as `src`.'),
    })
    .transform(({ src, path: other }, context) => {
      const found = src ?? other
      if (found === undefined) complain(context, 'src', '`src` is missing', 'MISSING_PARAM')
      return { src: found ?? '/' }
    }),
  probe: ({ src }) => ({ content: text(src) }),
  diff: ({ src }, state): readonly Change[] => {
    if (readable(state.content) === null) throw new TaskError('FILE_MISSING', `there is no file \`${src}\``)
    return []
  },
  apply: () => [],
  touches: () => [],
  reads: true,
  result: ({ src }, state) => {
    const found = readable(state.content)
    return {
      source: src,
      encoding: 'base64',
      ...(found && { content: Buffer.from(bytesOf(found)).toString('base64') }),
    }
  },
})
