import { join, relative } from 'node:path'
import { modules } from '../../src/modules/registry.gen.ts'
import { openLoader } from '../../src/playbook/load.ts'
import { rolePage } from '../../src/playbook/role-page.ts'
import { openSources } from '../../src/syntax/files.ts'

/** Returns the pages of the roles in `roles/` and the list of them, by their paths. */
export function rolePages(root: string): ReadonlyMap<string, string> {
  const loader = openLoader(
    openSources(),
    problem => {
      throw problem
    },
    { knownModules: new Set(modules.keys()) },
  )
  const roles = loader.roles(join(root, 'roles')).map(([role]) => role)
  const rows = roles.map(({ name, signature }) => `| [\`${name}\`](${name}.md) | ${signature.summary} |`)
  const list = `# Roles\n\n| role | what it does |\n| --- | --- |\n${rows.join('\n')}\n`
  return new Map([
    ['docs/roles/README.md', list],
    ...roles.map(role => {
      const source = relative(root, role.signature.file)
      const note = `<!-- Written by \`npm run gen\` from ${source}. -->`
      return [`docs/roles/${role.name}.md`, `${note}\n\n${rolePage(role)}`] as const
    }),
  ])
}
