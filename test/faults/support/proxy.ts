import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong with one connection. Bytes are counted over both directions, the encrypted ones of SSH. */
export interface Fault {
  readonly kind: 'cut' | 'corrupt' | 'stall'
  readonly afterBytes: number
}

/** What a line is like, for every connection. */
export interface Line {
  /** Milliseconds that everything takes on its way, in each direction. */
  readonly delayMs?: number
  /** In each direction. */
  readonly bytesPerSecond?: number
}

/** A TCP proxy in front of a host's sshd. */
export interface Proxy {
  readonly port: number
  /** Faults of the connections to come, one each; those after them are sound. */
  readonly plan: (faults: readonly Fault[], line?: Line) => void
  /** Says where the host is from now on. */
  readonly aim: (host: string) => void
  /** How many faults of the plan have happened. */
  readonly happened: () => number
  /** Bytes over all connections since the plan. */
  readonly bytes: () => number
  /** Cuts all connections that are open. */
  readonly cutAll: () => void
  readonly close: () => void
}

export async function startProxy(first: string, port: number): Promise<Proxy> {
  let host = first
  let faults: Fault[] = []
  let line: Line = {}
  let happened = 0
  let bytes = 0
  const open = new Set<Socket>()

  const server = createServer(near => {
    const fault = faults.shift()
    const far = connect({ host, port, noDelay: true })
    near.setNoDelay(true)
    let left = fault?.afterBytes ?? Number.POSITIVE_INFINITY
    let isStalled = false
    const end = (): void => {
      near.destroy()
      far.destroy()
      open.delete(near)
    }
    const strike = (chunk: Buffer, to: Socket): void => {
      happened += 1
      if (fault?.kind === 'stall') isStalled = true
      else if (fault?.kind === 'corrupt') {
        const at = Math.max(0, Math.min(chunk.length - 1, Math.floor(left)))
        chunk[at] = (chunk[at] ?? 0) ^ 0x55
        to.write(chunk)
      } else {
        to.write(chunk.subarray(0, Math.max(0, left)))
        end()
      }
    }
    const pass = (from: Socket, to: Socket): void => {
      let queue: Promise<void> = Promise.resolve()
      from.on('data', (chunk: Buffer) => {
        const { delayMs = 0, bytesPerSecond } = line
        const due = performance.now() + delayMs
        queue = queue.then(async () => {
          const wait = due - performance.now()
          if (wait > 0) await sleep(wait)
          if (isStalled || to.destroyed) return
          bytes += chunk.length
          const isHit = left >= 0 && chunk.length > left
          if (isHit) strike(chunk, to)
          else to.write(chunk)
          left = isHit ? Number.POSITIVE_INFINITY : left - chunk.length
          if (bytesPerSecond === undefined) return
          from.pause()
          await sleep((chunk.length / bytesPerSecond) * 1000)
          from.resume()
        })
      })
      from.on('error', end)
      from.on('close', () => void queue.then(end))
    }
    open.add(near)
    pass(near, far)
    pass(far, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    plan(next, nextLine = {}) {
      faults = [...next]
      line = nextLine
      happened = 0
      bytes = 0
    },
    aim(at) {
      host = at
    },
    happened: () => happened,
    bytes: () => bytes,
    cutAll() {
      for (const socket of open) socket.destroy()
    },
    close() {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}
