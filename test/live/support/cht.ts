import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { collect } from '../../../src/bundle/collect.ts'
import { readWish } from '../../../src/bundle/wish.ts'
import { openSources } from '../../../src/syntax/files.ts'
import { buildChtDouble, writeComposeFiles } from '../../doubles/cht/images.ts'
import { ROOT } from '../../support/source-tree.ts'
import { startHosts, type LiveHost } from './hosts.ts'

/** What a bundle of CHT is to hold besides Docker. */
interface Wish {
  readonly version: string
  readonly couchdb?: 'single' | 'clustered'
  readonly packages?: readonly string[]
}

const DOCKER = 'docker.io, docker-cli, containerd, docker-compose, apparmor, curl, ca-certificates'.split(
  ', ',
)

/** Makes a bundle of the double and of Docker below a folder, in `medium`, and returns its path. */
async function makeChtBundle(
  folder: string,
  { version, couchdb = 'single', packages = [] }: Wish,
): Promise<string> {
  await buildChtDouble(() => undefined)
  writeComposeFiles(join(folder, 'builds', version), version)
  const wish = {
    name: 'test',
    system: 'debian-13',
    packages: [...DOCKER, ...packages],
    cht: [
      {
        version,
        couchdb,
        builds: join(folder, 'builds'),
        upgrade_service: join(ROOT, 'test/doubles/cht/compose/upgrade-service.yml'),
      },
    ],
  }
  writeFileSync(join(folder, 'bundle.yml'), JSON.stringify(wish))
  return collect(readWish(join(folder, 'bundle.yml'), openSources()), {
    folder: join(folder, 'medium'),
    made: '2026-01-01T00:00:00Z',
    say: () => undefined,
  })
}

/** Password of the administrator of the database. */
export const PASSWORD = 'seven-words-that-nobody-would-ever-guess'

/** A host without a network that has the bundle at hand, and the playbook that sets it up, as far as the role `power`. */
export interface ChtHost {
  readonly host: LiveHost
  readonly playbook: string
}

/** Starts a host for CHT; `folder` keeps its bundle and its playbook. */
export async function startChtHost(folder: string, wish: Wish): Promise<ChtHost> {
  const archive = await makeChtBundle(folder, wish)
  const [host] = (await startHosts({
    os: 'debian-13',
    docker: true,
    media: { [join(folder, 'medium')]: '/medium' },
  })) as [LiveHost]
  const vars = variables(`/medium/${basename(archive)}`, wish)
  const play = { hosts: 'all', become: true, vars, roles: ['bundle', 'docker', 'cht', 'power'] }
  const playbook = join(folder, 'site.yml')
  writeFileSync(playbook, JSON.stringify([play]))
  return { host, playbook }
}

function variables(
  archive: string,
  { version, couchdb = 'single' }: Wish,
): Readonly<Record<string, unknown>> {
  return {
    bundle_archive: archive,
    bundle_on_host: true,
    docker_data_root: '/srv/docker',
    cht_docker_data_root: '/srv/docker',
    cht_bundle: '/opt/msingi/bundle',
    cht_version: version,
    cht_couchdb: couchdb,
    cht_domain: 'cht.example.org',
    cht_password: PASSWORD,
    cht_secret: 'another-seven-words-for-the-cookies-here',
    cht_uuid: '00000000-0000-4000-8000-000000000001',
    power_mounts: ['/srv'],
    power_settle: 5,
  }
}
