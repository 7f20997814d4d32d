import { z } from 'zod'
import { PACKAGE_NAME } from '../probes/dpkg.ts'
import { complain, flag, words } from './_params.ts'

/** One package as it is wished for. */
export interface PackageWish {
  readonly name: string
  /** `=`: this very version, or one that begins so where it ends in `*`; `>=`: this or a later one. */
  readonly relation?: '=' | '>='
  readonly version?: string
}

const SPEC = /^(?<name>[^=<>\s]+)(?:(?<relation>>?=)(?<version>[A-Za-z0-9.+:~-]+\*?))?$/
const RELEASE = z.string().regex(/^[A-Za-z0-9][\w.+/=-]*$/)

export const aptParams = z
  .strictObject({
    name: words()
      .optional()
      .describe('Packages; `name=version`, `name=version*` and `name>=version` ask for a version.'),
    pkg: words().optional().describe('Same as `name`.'),
    package: words().optional().describe('Same as `name`.'),
    state: z
      .enum(['present', 'latest', 'absent', 'fixed'])
      .default('present')
      .describe('`fixed` makes whole what is half installed, for all packages.'),
    update_cache: flag()
      .optional()
      .describe('Bring the package lists up to date first, where they are older than `cache_valid_time`.'),
    cache_valid_time: z.coerce
      .number()
      .int()
      .nonnegative()
      .optional()
      .describe(
        'Seconds for which the package lists are good enough; implies `update_cache`. Not given: 0 before something is installed, else 3600.',
      ),
    upgrade: z
      .union([z.enum(['yes', 'no', 'safe', 'full', 'dist', 'true', 'false']), z.boolean()])
      .transform(value => UPGRADES[String(value)] ?? null)
      .optional()
      .describe('Bring all packages up to date: `safe` (or `yes`) removes none, `full` (or `dist`) may.'),
    purge: flag().default(false).describe('Remove configuration files as well.'),
    autoremove: flag()
      .default(false)
      .describe('Remove packages that were only installed for others and are not needed any more.'),
    autoclean: flag()
      .default(false)
      .describe('Remove downloaded files of packages that cannot be downloaded any more.'),
    default_release: RELEASE.optional().describe(
      'Release to take packages from, such as `bookworm-backports`.',
    ),
    install_recommends: flag()
      .optional()
      .describe('Install what is recommended as well; as apt is set up where not given.'),
    allow_downgrade: flag().default(false).describe('Allow an older version than the one that is installed.'),
    allow_change_held_packages: flag().default(false).describe('Allow to change packages that are on hold.'),
    only_upgrade: flag().default(false).describe('Install no package that is not there.'),
    fail_on_autoremove: flag().default(false).describe('Fail where a package would be removed by the way.'),
    dpkg_options: words()
      .default(['force-confdef', 'force-confold'])
      .pipe(z.array(z.string().regex(/^[a-z][a-z0-9-]*(=\S+)?$/)))
      .describe('Options for dpkg.'),
    lock_timeout: z.coerce
      .number()
      .int()
      .nonnegative()
      .default(60)
      .describe('Seconds to wait for another package manager.'),
    policy_rc_d: z.coerce
      .number()
      .int()
      .min(0)
      .max(255)
      .optional()
      .describe('Status of `policy-rc.d` meanwhile; 101 keeps services of new packages from being started.'),
    force_apt_get: flag().default(false).describe('Accepted for Ansible playbooks; apt-get is always used.'),
  })
  .transform(({ name, pkg, package: last, ...given }, context) => {
    const specs = name ?? pkg ?? last
    const updates = given.update_cache ?? given.cache_valid_time !== undefined
    const upgrade = given.upgrade ?? null
    const works =
      specs !== undefined ||
      upgrade !== null ||
      updates ||
      given.autoremove ||
      given.autoclean ||
      given.state === 'fixed'
    if (!works) complain(context, 'name', '`name`, `upgrade` or `update_cache` expected', 'MISSING_PARAM')
    if (specs !== undefined && upgrade !== null)
      complain(context, 'upgrade', '`name` and `upgrade` found, one of them expected')
    const packages = [...new Set(specs ?? [])].map(spec => parseWish(spec, context))
    if (given.state === 'absent' && packages.some(({ version }) => version !== undefined)) {
      complain(context, 'name', 'a version found; `absent` removes any')
    }
    return { ...given, upgrade, update_cache: updates, packages }
  })

export type AptParams = z.output<typeof aptParams>

const UPGRADES: Readonly<Record<string, 'safe-upgrade' | 'full-upgrade'>> = {
  yes: 'safe-upgrade',
  true: 'safe-upgrade',
  safe: 'safe-upgrade',
  full: 'full-upgrade',
  dist: 'full-upgrade',
}

function parseWish(spec: string, context: z.RefinementCtx): PackageWish {
  const { name = '', relation, version } = SPEC.exec(spec.replaceAll(/\s*(>?=)\s*/g, '$1'))?.groups ?? {}
  if (!PACKAGE_NAME.test(name)) {
    complain(
      context,
      'name',
      `\`${spec}\` found, the name of a package expected; patterns and files are not taken`,
    )
  }
  if (relation === '>=' && version?.endsWith('*') === true) {
    complain(context, 'name', `\`${spec}\` found, a whole version expected after \`>=\``)
  }
  return version === undefined ? { name } : { name, relation: relation as '=' | '>=', version }
}
