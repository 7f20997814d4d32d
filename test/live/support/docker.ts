import { startHosts, type LiveHost, type LiveWish } from './hosts.ts'

const PACKAGES = ['docker.io', 'docker-cli', 'docker-compose']

/** Starts a host with a Docker of its own that runs. */
export async function startDockerHost(wish: Pick<LiveWish, 'media'> = {}): Promise<LiveHost> {
  const [host] = (await startHosts({ os: 'debian-13', docker: true, repo: PACKAGES, ...wish })) as [LiveHost]
  await host.run(`set -e; mkdir -p /etc/docker; printf '{ "data-root": "/srv/docker" }' > /etc/docker/daemon.json
    apt-get update -q; apt-get install -q -y --no-install-recommends curl ${PACKAGES.join(' ')}`)
  return host
}
