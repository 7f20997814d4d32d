import type { Completed } from '../../src/base/result.ts'
import { ConnectError } from '../../src/base/error.ts'
import type { Connect, Connection, Part, Session } from '../../src/transport/session.ts'

/**
 * A host in memory: keys with values. It understands `get KEY…`, `put KEY VALUE` and `fail`, wherever they stand in a part, and guards. Where
 * the key `gate` is `shut`, it lets nobody in any more; where it is `cut`, the links that are there are dead as well.
 */
export interface FakeHost {
  readonly keys: Map<string, string>
  /** Every frame as the list of its parts' scripts. */
  readonly frames: string[][]
  /** Shells that were opened, by user. */
  readonly shells: string[]
  /** Users that are not there. */
  readonly strangers: Set<string>
  /** Keys whose writing has no effect. */
  readonly stuck: Set<string>
  connections: number
  isDown: boolean
  /** How many of the next attempts to connect are refused. */
  refusals: number
  /** What the lock answers, one after the other; free afterwards. */
  lockAnswers: (readonly [code: number, out: string])[]
  /** Counts the times it was started. */
  life: number
  /** What the host had when a guard was armed. */
  kept: ReadonlyMap<string, string> | undefined
  /** True for a host that cannot keep a copy. */
  isFull: boolean
  /** Every connection, by the port that was asked for. */
  readonly ports: (number | undefined)[]
  /** Frames whose link is cut, by their number from 0: before the host has them, before it has answered, or by its restart. */
  readonly cuts: Map<number, 'before' | 'after' | 'restart'>
  /** Files of changes that were begun, with their status. */
  readonly changes: Map<string, number>
  sent: number
}

export function fakeHost(keys: Readonly<Record<string, string>> = {}): FakeHost {
  return {
    keys: new Map(Object.entries(keys)),
    frames: [],
    shells: [],
    strangers: new Set(),
    stuck: new Set(),
    connections: 0,
    isDown: false,
    refusals: 0,
    lockAnswers: [],
    life: 1,
    kept: undefined,
    isFull: false,
    ports: [],
    cuts: new Map(),
    changes: new Map(),
    sent: 0,
  }
}

/** Returns a way to connect to hosts in memory; an unknown name is refused as an unreachable host is. */
export function fakeConnect(hosts: Readonly<Record<string, FakeHost>>): Connect {
  return (name, _signal, way) => {
    const host = hosts[name]
    if (host === undefined || host.isDown || host.refusals-- > 0)
      return Promise.reject(new ConnectError(name, 'tcp', 'connection refused'))
    host.ports.push(way?.port)
    if (host.keys.has('gate')) return Promise.reject(refused(name, host))
    host.connections += 1
    return Promise.resolve(connectionTo(name, host))
  }
}

/** A host with another key is not tried twice; one whose links are cut does something about it meanwhile. */
function refused(name: string, host: FakeHost): ConnectError {
  if (host.keys.get('gate') === 'cut') takeBack(host)
  return new ConnectError(name, 'hostkey', 'the host has another key')
}

function connectionTo(name: string, host: FakeHost): Connection {
  return {
    host: name,
    shell: become => {
      const user = become?.user ?? 'ops'
      if (host.strangers.has(user))
        return Promise.reject(new ConnectError(name, 'become', `the host has no user \`${user}\``))
      host.shells.push(user)
      return Promise.resolve(sessionOf(name, user, host))
    },
    usage: () => ({ frames: host.frames.length, bytesSent: 0, bytesReceived: 0 }),
    close: () => Promise.resolve(),
  }
}

function sessionOf(name: string, user: string, host: FakeHost): Session {
  let isCut = false
  const lost = (): Promise<never> => Promise.reject(new ConnectError(name, 'lost', 'the link is gone'))
  return {
    host: name,
    user,
    uid: user === 'root' ? 0 : 1000,
    warnings: [],
    scratch: '/run/msingi.fake',
    exchange: parts => {
      if (host.isDown || isCut || host.keys.get('gate') === 'cut') return lost()
      const cut = host.cuts.get(host.sent++)
      isCut = cut !== undefined
      if (cut === 'restart') restart(host)
      if (cut === 'before' || cut === 'restart') return lost()
      host.frames.push(parts.map(part => part.script.text))
      const answers = parts.map(part => answer(host, part))
      return cut === 'after' ? lost() : Promise.resolve(answers)
    },
    upload: () => Promise.resolve('/run/msingi.fake/1'),
    close: () => Promise.resolve(),
  }
}

function answer(host: FakeHost, { script, onOutput }: Part): Completed {
  if (isAboutLock(script.text)) {
    const [code, out] = host.lockAnswers.shift() ?? [0, '']
    return { ...completed(out), code }
  }
  if (script.text.includes('/var/lib/msingi/guard')) return guarded(host, script.text)
  if (script.text.includes('/random/boot_id'))
    return completed(`00000000-0000-4000-8000-00000000000${host.life} 7\n`)
  const [, begun, followed] = /^c=(\S+) (?:n=|last=(\S*))/.exec(script.text) ?? []
  if (begun !== undefined && followed !== undefined) return stateOf(host, begun, script.text)
  if (begun === undefined) return effectOf(host, script.text, onOutput)
  if (host.changes.has(begun)) return { ...completed(''), code: 255 }
  const done = effectOf(host, script.text, onOutput)
  host.changes.set(begun, done.code)
  return done
}

/** Taking the lock, which brings a look at the host's health along, or looking who has it. */
function isAboutLock(text: string): boolean {
  return text.includes('/lock me=') || (text.includes('/lock') && !text.includes('/lock-frontend'))
}

/** What the two parts answer that follow a change. */
function stateOf(host: FakeHost, file: string, text: string): Completed {
  const code = host.changes.get(file)
  if (text.includes('relay() {')) return { ...completed(''), code: code === undefined ? 1 : 0 }
  return completed(code === undefined ? 'absent \n' : `ended ${code}\n`)
}

function effectOf(host: FakeHost, text: string, onOutput: Part['onOutput']): Completed {
  if (text.includes('--on-active=1')) restart(host)
  const got = /\bget((?: [\w.]+)+)/.exec(text)?.[1]
  if (got !== undefined)
    return completed(
      got
        .trim()
        .split(' ')
        .map(key => `${host.keys.get(key) ?? '-'}\n`)
        .join(''),
    )
  for (const [, key = '', value = ''] of text.matchAll(/\bput ([\w.]+) ([\w.]+)/g)) {
    if (!host.stuck.has(key)) host.keys.set(key, value)
  }
  if (/\bfail\b/.test(text)) return { ...completed(''), code: 3, err: 'it broke\n' }
  onOutput?.('stdout', 'done\n')
  return completed('done\n')
}

function guarded(host: FakeHost, text: string): Completed {
  if (text.includes('.new-')) {
    if (host.isFull) return { ...completed(''), code: 73, err: 'no room for a copy' }
    host.kept = new Map(host.keys)
  } else if (text.includes('last-kept')) {
    if (host.kept === undefined) return { ...completed('did put back gate\n'), code: 76 }
    host.kept = undefined
  } else if (text.includes('the run asked')) {
    takeBack(host)
    return { ...completed('did put back gate\n'), code: 76 }
  }
  return completed('')
}

function takeBack(host: FakeHost): void {
  if (host.kept === undefined) return
  host.keys.clear()
  for (const [key, value] of host.kept) host.keys.set(key, value)
  host.kept = undefined
}

/** It does not answer once, and comes back in another life. */
function restart(host: FakeHost): void {
  host.life += 1
  host.refusals = 1
}

function completed(out: string): Completed {
  return { code: 0, out, err: '', encoding: 'utf8', ms: 0 }
}
