import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Session } from '../../../src/transport/session.ts'
import { makeConnect } from '../../../src/transport/connect.ts'
import { makeMachines, removeLab, type LabPlace, type LabWish } from '../../../src/lab/lab.ts'
import { hostOf, loginKey, type OpenLab } from '../../../src/lab/state.ts'
import { sh } from '../../../src/shell/sh.ts'

/** What the project keeps between labs. */
export const CACHE = resolve('.msingi', 'lab')

/** Makes machines in a folder of their own; give them to {@link endLab} afterwards. */
export function startLab(wish: Partial<LabWish> = {}): Promise<OpenLab> {
  const hardware = {
    memory: 2 ** 30,
    // Two machines at a time, on two processors: more would wait for each other.
    cpus: 1,
    disks: [{ name: 'data', bytes: 2 ** 30 }],
    tpm: false,
    internet: false,
  }
  return makeMachines(
    { name: 'vm', kind: 'vm', os: 'debian-12', hosts: 1, hardware, publish: [], packages: [], ...wish },
    place(),
  )
}

export async function endLab(lab: OpenLab): Promise<void> {
  await removeLab(lab.folder, async () => undefined)
  rmSync(join(lab.folder, '..'), { recursive: true, force: true })
}

/** Shell that makes a stranger to the host, `ip netns exec out`: another network stack, 10.99.0.2, on a cable of its own to 10.99.0.1. */
export const STRANGER = `ip netns add out; ip link add cable type veth peer name far netns out
ip addr add 10.99.0.1/24 dev cable; ip link set cable up
ip -n out addr add 10.99.0.2/24 dev far; ip -n out link set far up; ip -n out route add default via 10.99.0.1`

/** Runs a script as root on a host, over a connection of its own, and returns what it printed. */
export async function asRoot(lab: OpenLab, host: string, script: string): Promise<string> {
  const connection = await connectTo(lab)(host, AbortSignal.timeout(CONNECT_MS))
  try {
    const session = await connection.shell({ user: 'root', method: 'sudo' })
    const [answer] = await session.exchange([{ script: sh`sh -c ${script}` }], { deadlineMs: CONNECT_MS })
    if (answer?.code === 0) return answer.out
    throw new Error(`exit ${answer?.code} of \`${script}\`: ${answer?.err}`)
  } finally {
    await connection.close()
  }
}

/** Returns root's shell on a host; it ends with the machine. */
export async function rootShell(lab: OpenLab, host: string): Promise<Session> {
  return (await connectTo(lab)(host, AbortSignal.timeout(CONNECT_MS))).shell({ user: 'root', method: 'sudo' })
}

const CONNECT_MS = 300_000

function connectTo(lab: OpenLab): ReturnType<typeof makeConnect> {
  return makeConnect({
    hosts: name => {
      const { address, port, user, hostKey } = hostOf(lab, name)
      const reach = { connection: 'ssh', host: address, port, user, jump: undefined } as const
      return { ...reach, keys: [loginKey(lab)], hostKeys: [hostKey] }
    },
    projectKnownHosts: [],
    userConfig: 'none',
    flags: { connectTimeout: 60 },
  })
}

function place(): LabPlace {
  const root = mkdtempSync(join(tmpdir(), 'vm-'))
  return { root, cache: CACHE, say: text => console.log(`vm: ${text}`) }
}
