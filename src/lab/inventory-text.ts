import { loginKey, type OpenLab } from './state.ts'

/** Returns the lab's inventory, with the hosts' keys pinned and a mark that these are throw-away hosts. */
export function inventoryText(lab: OpenLab): string {
  const lines = ['all:', '  vars:', `    msingi_lab: ${lab.name}`, '  hosts:']
  for (const host of lab.hosts) {
    lines.push(
      `    ${host.name}:`,
      '      ssh:',
      `        host: ${host.address}`,
      `        port: ${host.port}`,
      `        user: ${host.user}`,
      `        key: ${JSON.stringify(loginKey(lab))}`,
      `        host_key: ${host.hostKey}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** Returns the hosts' keys in the form of OpenSSH. */
export function knownHostsText(lab: OpenLab): string {
  return lab.hosts
    .map(({ address, port, hostKey }) => `${port === 22 ? address : `[${address}]:${port}`} ${hostKey}\n`)
    .join('')
}
