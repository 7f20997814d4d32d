import type { Project, Step } from './step.ts'
import { leaves } from './leaves.ts'
import { literalBoolean } from './settings.ts'

/**
 * Programs that a module runs on the host beside those of every system; one of several that stand together will do. What the module
 * itself installs, or does without, is not among them.
 */
export const TOOLS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  apk: [['apk']],
  apt: [['apt-get'], ['dpkg-query']],
  archive: [['tar']],
  cron: [['crontab']],
  deb822_repository: [['apt-get']],
  debconf: [['debconf-set-selections']],
  dnf: [['dnf', 'yum']],
  docker_compose: [['docker']],
  docker_image: [['docker']],
  docker_network: [['docker']],
  docker_prune: [['docker']],
  docker_volume: [['docker']],
  dpkg_selections: [['dpkg']],
  git: [['git']],
  group: [['groupadd']],
  htpasswd: [['htpasswd'], ['openssl']],
  locale_gen: [['locale-gen']],
  modprobe: [['modprobe']],
  nftables: [['nft']],
  package: [['apt-get', 'dnf', 'yum', 'apk']],
  sudoers: [['visudo']],
  sysctl: [['sysctl']],
  systemd: [['systemctl']],
  systemd_timer: [['systemctl']],
  systemd_unit: [['systemctl']],
  ufw: [['ufw']],
  unarchive: [['tar']],
  uri: [['curl', 'wget']],
  user: [['useradd']],
}

/** A program that tasks need on the host, and the modules of these tasks. */
export interface NeededTool {
  /** One of these will do. */
  readonly names: readonly string[]
  readonly modules: readonly string[]
}

/** Returns what the host's tasks and handlers need, by name; tasks that are only known when others have run are not among them. */
export function neededTools(project: Project, host: string): readonly NeededTool[] {
  const needed = new Map<string, { names: readonly string[]; modules: Set<string> }>()
  for (const { module } of stepsOn(project, host)) {
    for (const names of TOOLS[module.name] ?? []) {
      const known = needed.get(names.join(' ')) ?? { names, modules: new Set() }
      known.modules.add(module.name)
      needed.set(names.join(' '), known)
    }
  }
  return [...needed.values()].map(({ names, modules }) => ({ names, modules: [...modules] }))
}

/** Returns whether a task of the host says plainly that it becomes somebody else. */
export function someoneBecomes(project: Project, host: string): boolean {
  return stepsOn(project, host).some(step => literalBoolean(step.settings.keywords, 'become') === true)
}

function stepsOn({ plays }: Project, host: string): readonly Step[] {
  return plays.filter(play => play.hosts.includes(host)).flatMap(stepsOf)
}

function stepsOf(play: Project['plays'][number]): readonly Step[] {
  return [...play.sections.flatMap(section => [...leaves(section.items)]), ...play.handlers]
}
