import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface SlowLine {
  readonly port: number
  /** Cuts everything that goes over it at the moment. */
  readonly cut: () => void
  /** Lets nothing through any more, and closes nothing. */
  readonly stall: () => void
  readonly close: () => void
}

export interface LineWish {
  /** Milliseconds there and back. */
  readonly roundTripMs: number
  /** In each direction. */
  readonly bytesPerSecond: number
}

/** How often bytes are let through. */
const TICK_MS = 50

/** Opens a port on this machine that leads to a host as a satellite or an old telephone line would. */
export async function slowLine(host: string, port: number, wish: LineWish): Promise<SlowLine> {
  const sockets = new Set<Socket>()
  let isStalled = false
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ host, port, noDelay: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
      pace(from, to, wish, () => isStalled)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    stall: () => {
      isStalled = true
    },
    close: () => {
      cut()
      server.close()
    },
  }
}

/** Bytes wait half a round trip, and then for the line to be free. */
function pace(from: Socket, to: Socket, wish: LineWish, isStalled: () => boolean): void {
  const waiting: { readonly due: number; bytes: Buffer }[] = []
  let hasEnded = false
  from.on('data', bytes => waiting.push({ due: performance.now() + wish.roundTripMs / 2, bytes }))
  from.on('end', () => (hasEnded = true))
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    let room = Math.ceil((wish.bytesPerSecond * (now - last)) / 1000)
    last = now
    for (let first = waiting[0]; !isStalled() && first && first.due <= now && room > 0; first = waiting[0]) {
      const sent = first.bytes.subarray(0, room)
      room -= sent.length
      to.write(sent)
      first.bytes = first.bytes.subarray(sent.length)
      if (first.bytes.length === 0) waiting.shift()
    }
    if (hasEnded && waiting.length === 0) to.end()
    // What waits longer than a queue of a line would is not read on.
    if (waiting.length > 200) from.pause()
    else from.resume()
  }, TICK_MS)
  for (const socket of [from, to]) socket.on('close', () => clearInterval(timer))
}
