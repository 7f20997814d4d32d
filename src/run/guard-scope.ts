import type { Change } from '../base/result.ts'
import type { Action } from '../modules/module.ts'
import { affects, type Resource } from '../probes/probe.ts'
import type { Domain, Scope } from '../shell/guard.ts'

/** What is known of a change that is about to be made. */
export interface Deed {
  readonly module: string
  readonly params: unknown
  readonly changes: readonly Change[]
  readonly actions: readonly Action[]
  /** Undefined where it may touch anything. */
  readonly touches: readonly Resource[] | undefined
}

/** How people are locked out, as data. */
interface Ways {
  /** Files of which a mistake locks people out, as they are written or once they are read. */
  readonly files: RegExp
  /** Kept as a whole before a change that does not say what it touches. */
  readonly folders: readonly string[]
  readonly units: readonly string[]
  /** False where what runs is put right by itself, and a restart would do harm. */
  readonly restarts: boolean
  /** Commands that put files into effect, or change what runs. */
  readonly commands: RegExp | undefined
  /** True where files count as soon as they are written. */
  readonly atOnce: boolean
}

export const DOMAINS: Readonly<Record<Domain, Ways>> = {
  sshd: {
    files:
      /^\/etc\/(ssh\/(?!(ssh_config|ssh_known_hosts|moduli)(\.d)?(\/|$))|(sysconfig|default)\/sshd?$|systemd\/system\/sshd?(@[^/]*)?\.(service|socket)(\.d\/|$))/,
    folders: ['/etc/ssh', '/etc/default/ssh', '/etc/sysconfig/sshd'],
    units: ['ssh.service', 'sshd.service', 'ssh.socket', 'sshd.socket'],
    restarts: true,
    commands: /\b(systemctl|service|rc-service|invoke-rc\.d)\b.*\bsshd?\b|\/sshd\b.*\b(reload|restart)/,
    atOnce: false,
  },
  firewall: {
    files:
      /^\/etc\/(nftables\.conf$|nftables(\.d)?\/|ufw\/|default\/ufw$|iptables\/|firewalld\/|sysconfig\/(nftables\.conf|ip6?tables)$)/,
    folders: [
      '/etc/nftables.conf',
      '/etc/nftables.d',
      '/etc/ufw',
      '/etc/default/ufw',
      '/etc/iptables',
      '/etc/firewalld',
    ],
    units: ['nftables.service', 'ufw.service', 'firewalld.service', 'netfilter-persistent.service'],
    restarts: false,
    commands:
      /\b(nft|ufw|ip6?tables(-(nft|legacy))?(-restore)?|firewall-cmd|netfilter-persistent)\b|\b(systemctl|service|rc-service)\b.*\b(nftables|firewalld|ip6?tables)\b/,
    atOnce: false,
  },
  network: {
    files:
      /^\/etc\/(network\/|netplan\/|systemd\/network\/|systemd\/networkd\.conf|NetworkManager\/|sysconfig\/network|dhcp\/|dhcpcd\.conf$)/,
    folders: ['/etc/network', '/etc/netplan', '/etc/systemd/network', '/etc/NetworkManager'],
    units: ['networking.service', 'systemd-networkd.service', 'NetworkManager.service', 'dhcpcd.service'],
    restarts: true,
    commands:
      /\b(ifup|ifdown|ifreload|netplan|networkctl|nmcli|ip (-\S+ )*(a|addr|address|l|link|r|ro|route|rule))\b|\b(systemctl|service|rc-service)\b.*\b(networking|systemd-networkd|NetworkManager|dhcpcd)\b/,
    atOnce: false,
  },
  sudo: {
    files: /^\/etc\/(sudoers(\.d\/|$)|sudo\.conf$|sudo-ldap\.conf$|doas\.conf$|doas\.d\/)/,
    folders: ['/etc/sudoers', '/etc/sudoers.d', '/etc/doas.conf', '/etc/doas.d'],
    units: [],
    restarts: false,
    commands: /\bvisudo\b/,
    atOnce: true,
  },
  pam: {
    files:
      /^\/etc\/(pam\.d\/|pam\.conf$|security\/|nsswitch\.conf$|hosts\.(allow|deny)$|shells$|login\.access$)/,
    folders: ['/etc/pam.d', '/etc/pam.conf', '/etc/security', '/etc/nsswitch.conf'],
    units: [],
    restarts: false,
    commands: /\b(pam-auth-update|authselect|authconfig)\b/,
    atOnce: true,
  },
}

const ALL = Object.keys(DOMAINS) as readonly Domain[]

/** Modules whose changes count at once, whatever they touch. */
const MODULES: Readonly<Record<string, Domain>> = { ufw: 'firewall' }

/** Returns the ways in which the change may lock people out; none for nearly all changes there are. */
export function domainsOf(deed: Deed): readonly Domain[] {
  const touched = deed.touches ?? []
  const files = pathsOf(deed)
  const command = commandsIn(deed)
  const unit = unitActedOn(deed)
  return ALL.filter(
    domain =>
      MODULES[deed.module] === domain ||
      files.some(({ name, isTree }) => isOf(domain, name, isTree)) ||
      (domain === 'firewall' &&
        touched.some(({ kind, name }) => kind === 'host' && FIREWALLS.includes(name))) ||
      (unit !== undefined && DOMAINS[domain].units.includes(unit)) ||
      (command !== '' && DOMAINS[domain].commands?.test(command) === true),
  )
}

/** Returns what must be kept before the change. One that neither says what it touches nor is known is taken for the worst. */
export function scopeOf(deed: Deed): Scope {
  const known = domainsOf(deed)
  const unit = unitActedOn(deed)
  const isBlind = deed.touches === undefined && unit === undefined
  const domains = known.length === 0 && isBlind ? ALL : known
  const files = pathsOf(deed)
  const trees = files.filter(({ isTree }) => isTree).map(({ name }) => name)
  // "Anywhere", as of the files of a user who goes: no host can keep a copy of all it has.
  const isAnywhere = trees.includes('/')
  return {
    paths: files.filter(({ isTree }) => !isTree).map(({ name }) => name),
    trees: [
      ...trees.filter(name => name !== '/'),
      ...(isBlind || isAnywhere ? domains.flatMap(domain => DOMAINS[domain].folders) : []),
    ],
    units: [
      ...domains.flatMap(domain =>
        DOMAINS[domain].units.map(name => ({ name, restarts: DOMAINS[domain].restarts })),
      ),
      ...(unit === undefined ? [] : [{ name: unit, restarts: true }]),
    ],
    sysctls: (deed.touches ?? []).flatMap(({ kind, name }) =>
      kind === 'path' && name.startsWith('/proc/sys/') ? [name] : [],
    ),
    domains,
    effects: domains.filter(domain => takesEffect(domain, deed)),
  }
}

/** Returns whether the change alters what runs, not only what will be read some day. */
function takesEffect(domain: Domain, deed: Deed): boolean {
  const { atOnce, units, commands } = DOMAINS[domain]
  if (atOnce || MODULES[deed.module] === domain) return true
  const unit = unitActedOn(deed)
  if (unit !== undefined) return units.includes(unit)
  if (deed.touches === undefined) return true
  if (domain === 'firewall' && deed.module === 'nftables')
    return deed.changes.some(({ kind }) => kind === 'rules')
  return commands?.test(commandsIn(deed)) === true
}

const FIREWALLS: readonly string[] = ['nftables', 'ufw']

function isOf(domain: Domain, path: string, isTree: boolean): boolean {
  const { files, folders } = DOMAINS[domain]
  if (files.test(path)) return true
  return (
    isTree && folders.some(folder => affects({ kind: 'tree', name: path }, { kind: 'path', name: folder }))
  )
}

interface Place {
  readonly name: string
  readonly isTree: boolean
}

/** What is written is named by the actions, and may be named by the module. */
function pathsOf({ actions, touches = [] }: Deed): readonly Place[] {
  const named = touches.flatMap(({ kind, name }): Place[] =>
    kind === 'path' || kind === 'tree' ? [{ name, isTree: kind === 'tree' }] : [],
  )
  const written = actions.flatMap((action): Place[] =>
    action.do === 'write' ? [{ name: action.path, isTree: false }] : [],
  )
  return [...new Map([...written, ...named].map(place => [place.name, place])).values()]
}

/** The text of a module's own script says nothing of what the playbook asks for, but that of a command does. */
function commandsIn({ module, actions }: Deed): string {
  if (!['command', 'shell', 'script', 'raw'].includes(module)) return ''
  return actions.map(action => (action.do === 'run' ? action.script.text : '')).join('\n')
}

/** Returns the unit that the module `systemd` starts, stops or makes read its files. */
function unitActedOn({ module, params, touches }: Deed): string | undefined {
  if (module !== 'systemd' || touches !== undefined) return undefined
  if (params === null || typeof params !== 'object' || !('name' in params)) return undefined
  const { name } = params
  if (typeof name !== 'string') return undefined
  return name.includes('.') ? name : `${name}.service`
}
