import { z } from 'zod'
import { complain, flag, mode, text, words } from './_params.ts'
import {
  wholeActions,
  wholeAfter,
  wholeDiff,
  wholeFile,
  wholeQuestions,
  wholeTouches,
  type WholeFiles,
} from './_whole-files.ts'
import { defineModule } from './module.ts'

const FOLDER = '/etc/apt/sources.list.d'

/** Words apart by commas or blanks. */
function list() {
  return words().transform(found => found.flatMap(word => word.split(/\s+/)))
}

function yesNo(description: string) {
  return flag().optional().describe(description)
}

const params = z
  .strictObject({
    name: text().describe('Name of the repository; the file is named after it.'),
    types: list().default(['deb']).describe('`deb`, `deb-src` or both.'),
    uris: list().optional().describe('Addresses of the repository.'),
    suites: list().optional().describe('Suites; one that ends with `/` is a path and has no components.'),
    components: list().optional().describe('Components.'),
    architectures: list().optional().describe('Architectures to take; all of the host where not given.'),
    signed_by: text()
      .optional()
      .describe('Path of the keyring on the host, an armoured public key, or fingerprints.'),
    enabled: yesNo('Whether apt uses it.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
    mode: mode().default('0644').describe('Permissions of the file.'),
    trusted: yesNo('`true` takes packages without a signature; `false` takes none at all.'),
    check_date: yesNo('Whether a release from the future is refused.'),
    check_valid_until: yesNo('Whether a release that is too old is refused.'),
    date_max_future: z.coerce.number().int().optional().describe('Seconds that a release may be ahead.'),
    allow_insecure: yesNo('Take a repository without a signature.'),
    allow_weak: yesNo('Take weak signatures.'),
    allow_downgrade_to_insecure: yesNo('Take a repository that lost its signature.'),
    by_hash: z
      .union([z.literal('force'), flag()])
      .optional()
      .describe('Fetch lists by their checksums.'),
    inrelease_path: text().optional().describe('Path of the `InRelease` file within the repository.'),
    languages: list().optional().describe('Languages of descriptions.'),
    targets: list().optional().describe('What to fetch.'),
    pdiffs: yesNo('Fetch differences of lists.'),
    include: list().optional().describe('Packages that alone are taken; apt 3.1 and later.'),
    exclude: list().optional().describe('Packages that are not taken; apt 3.1 and later.'),
    install_python_debian: flag()
      .default(false)
      .describe('Accepted for Ansible playbooks; nothing is needed.'),
  })
  .superRefine((given, context) => {
    const { name, state, uris = [], suites = [], components = [], signed_by: key = '' } = given
    if (slugOf(name) === '') complain(context, 'name', `\`${name}\` found, letters or digits expected`)
    if (state === 'absent') return
    if (uris.length === 0) complain(context, 'uris', '`uris` is missing', 'MISSING_PARAM')
    if (suites.length === 0) complain(context, 'suites', '`suites` is missing', 'MISSING_PARAM')
    const uri = uris.find(one => !/^[a-z][a-z0-9+-]*:\S+$/i.test(one))
    if (uri !== undefined)
      complain(context, 'uris', `\`${uri}\` found, an address such as \`https://…\` expected`)
    const type = given.types.find(one => one !== 'deb' && one !== 'deb-src')
    if (type !== undefined) complain(context, 'types', `\`${type}\` found, \`deb\` or \`deb-src\` expected`)
    const isExact = suites.every(suite => suite.endsWith('/'))
    if (suites.some(suite => suite.endsWith('/')) && (!isExact || components.length > 0))
      complain(context, 'suites', 'a path found, which has no components and stands with no suites by name')
    if (suites.length > 0 && !isExact && components.length === 0)
      complain(context, 'components', '`components` is missing', 'MISSING_PARAM')
    if (/^https?:/.test(key))
      complain(context, 'signed_by', 'an address found; fetch the key with `get_url` and its checksum first')
    if (given.include && given.exclude) complain(context, 'exclude', 'either `include` or `exclude` expected')
  })
type Params = z.output<typeof params>

export const deb822_repository = defineModule({
  name: 'deb822_repository',
  summary: 'Adds a package repository to apt, or removes it, in the deb822 format.',
  examples: [
    '- name: Take packages of Docker\n  deb822_repository:\n    name: docker\n    uris: https://download.docker.com/linux/debian\n    suites: bookworm\n    components: stable\n    architectures: amd64\n    signed_by: /etc/apt/keyrings/docker.asc\n',
    '- name: Take no more packages of Docker\n  deb822_repository: { name: docker, state: absent }\n',
  ],
  deviations: [
    '`signed_by` takes no address: a key is fetched by `get_url` with its checksum, so that nobody can slip in another one.',
    'The keyring stays when the repository is removed: the module did not bring it.',
    'Nothing needs to be installed on the host.',
  ],
  params,
  probe: (wish, host) => wholeQuestions(filesOf(wish), host),
  diff: (wish, state) => wholeDiff(filesOf(wish), state),
  apply: (found, wish, state) => wholeActions(found, filesOf(wish), state),
  expect: (wish, state) => ({ ...state, ...wholeAfter(filesOf(wish), state) }),
  touches: (found, wish) => wholeTouches(found, filesOf(wish)),
  result: wish => ({ dest: pathOf(wish), repo: wish.state === 'absent' ? null : textOf(wish) }),
})

function filesOf(wish: Params): WholeFiles {
  const path = pathOf(wish)
  return wish.state === 'absent'
    ? { folders: [], files: [], gone: [path] }
    : { folders: [], files: [wholeFile(path, textOf(wish), { mode: wish.mode })], gone: [] }
}

function pathOf({ name }: Params): string {
  return `${FOLDER}/${slugOf(name)}.sources`
}

/** As Ansible names the file. */
function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[_\s]+/g, '-')
    .replaceAll(/[^a-z0-9-]+/g, '')
}

/** The fields in Ansible's order, so that a file it wrote is right already. */
function textOf({ state: _, mode: __, install_python_debian: ___, ...fields }: Params): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${fieldName(name)}:${fieldValue(value)}\n`)
    .join('')
}

function fieldName(name: string): string {
  if (name === 'name') return 'X-Repolib-Name'
  if (name === 'uris') return 'URIs'
  return name
    .replaceAll('_', '-')
    .replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}

function fieldValue(value: string | number | boolean | readonly string[] | undefined): string {
  if (typeof value === 'boolean') return value ? ' yes' : ' no'
  if (typeof value === 'object') return ` ${value.join(' ')}`
  const rows = String(value).trimEnd().split('\n')
  if (rows.length === 1) return ` ${rows[0] ?? ''}`
  return `\n${rows.map(row => (row.trim() === '' ? ' .' : ` ${row}`)).join('\n')}`
}
