import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hostNamed } from '../inventory/model.ts'
import type { Secret } from '../base/secret.ts'
import { makeConnect } from '../transport/connect.ts'
import type { ConnectSetup } from '../transport/connect.ts'
import type { Connect } from '../transport/session.ts'
import type { OpenInventory } from './inventory.ts'
import type { ReachFlags } from './options.ts'
import { askSecret } from './password.ts'

/** Returns the way to open connections to the hosts of the inventory; nothing is contacted before it is used. */
export function connecting(
  opened: OpenInventory,
  flags: ReachFlags,
  password: Secret | undefined,
  onWarning: (message: string) => void,
): Connect {
  return makeConnect(connectSetup(opened, flags, password, onWarning))
}

/** Returns where everything stands that connecting depends on. */
export function connectSetup(
  opened: OpenInventory,
  flags: ReachFlags,
  password: Secret | undefined,
  onWarning: (message: string) => void,
): ConnectSetup {
  return {
    hosts: name => hostNamed(opened.inventory, name)?.reach,
    projectKnownHosts: knownHostsFiles(opened.from),
    flags: {
      user: flags.user,
      privateKey: flags.privateKey,
      connectTimeout: flags.timeout,
      link: flags.link,
    },
    becomePassword: password,
    ask: process.stderr.isTTY ? askSecret : undefined,
    onWarning,
    env: process.env,
  }
}

/** Returns the known_hosts files of the project: one beside each inventory. */
export function knownHostsFiles(from: readonly string[]): readonly string[] {
  const folders = from
    .filter(source => !source.includes(','))
    .map(source => (statSync(source, { throwIfNoEntry: false })?.isDirectory() ? source : dirname(source)))
  const distinct = [...new Set(folders)]
  return (distinct.length > 0 ? distinct : ['.']).map(folder => join(folder, 'known_hosts'))
}
