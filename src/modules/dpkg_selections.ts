import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { dpkg, PACKAGE_NAME, type Package } from '../probes/dpkg.ts'
import { lines, sh } from '../shell/sh.ts'
import { changes, defineModule } from './module.ts'

export const dpkg_selections = defineModule({
  name: 'dpkg_selections',
  summary: 'Holds a package of dpkg at its version, or lets it go again.',
  examples: [
    '- name: Keep the version of Docker\n  dpkg_selections:\n    name: docker-ce\n    selection: hold\n',
  ],
  params: z.strictObject({
    name: z.string().regex(PACKAGE_NAME).describe('Name of the package.'),
    selection: z
      .enum(['install', 'hold', 'deinstall', 'purge'])
      .describe('What dpkg should want of it: `hold` keeps the version, `install` lets it be upgraded.'),
  }),
  probe: ({ name }) => ({ package: dpkg(name) }),
  diff: ({ name, selection }, state) => {
    const found = known(name, state.package.package)
    return changes(
      found.want !== selection && { kind: 'selection', what: name, before: found.want, after: selection },
    )
  },
  apply: (_, { name, selection }) => [
    {
      do: 'run',
      script: lines(
        sh`export LC_ALL=C`,
        // dpkg only warns about a package it does not know.
        sh`said=$(printf '%s %s\\n' ${name} ${selection} | dpkg --set-selections 2>&1) || { printf '%s\\n' "$said" >&2; exit 1; }`,
        sh`[ -z "$said" ] || printf '%s\\n' "$said" >&2`,
      ),
      detached: false,
    },
  ],
  expect: ({ name, selection }, state) => ({
    package: { ...state.package, package: { ...known(name, state.package.package), want: selection } },
  }),
  touches: (_, { name }) => [{ kind: 'package', name: name.replace(/:.*/, '') }],
  result: ({ name, selection }, state) => ({ name, selection, before: state.package.package?.want ?? null }),
})

function known(name: string, found: Package | null): Package {
  if (found) return found
  throw new TaskError('PACKAGE_UNKNOWN', `dpkg does not know \`${name}\``, 'install the package first')
}
