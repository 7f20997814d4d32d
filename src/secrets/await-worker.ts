import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'

/** Longer than the slowest key derivation that age allows takes on a slow machine. */
const PATIENCE_MS = 180_000

type Answer = { readonly value: unknown } | { readonly error: string }

/** Asks a worker and waits for its answer, as a function call does. */
export type Call = (job: unknown) => unknown

/**
 * Starts a file as a worker whose answers can be waited for. A project is read in one go, and values that must be
 * decrypted stand in the middle of it; the library that decrypts them can only promise.
 *
 * @returns A function that throws an Error with the worker's message where it fails.
 */
export function startWorker(file: URL): Call {
  const worker = new Worker(file)
  worker.unref()
  return job => {
    const { port1, port2 } = new MessageChannel()
    const flag = new Int32Array(new SharedArrayBuffer(4))
    worker.postMessage({ job, port: port2, flag }, [port2])
    Atomics.wait(flag, 0, 0, PATIENCE_MS)
    const answer = receiveMessageOnPort(port1)?.message as Answer | undefined
    port1.close()
    if (answer === undefined) throw new Error('no answer in time')
    if ('error' in answer) throw new Error(answer.error)
    return answer.value
  }
}

interface Asked {
  readonly job: unknown
  readonly port: MessagePort
  readonly flag: Int32Array
}

/** Answers, inside a worker, what `startWorker` asks. */
export function answerCalls(from: MessagePort, work: (job: unknown) => Promise<unknown>): void {
  from.on('message', (asked: Asked) => {
    void answer(asked, work)
  })
}

async function answer({ job, port, flag }: Asked, work: (job: unknown) => Promise<unknown>): Promise<void> {
  try {
    port.postMessage({ value: await work(job) })
  } catch (error) {
    port.postMessage({ error: error instanceof Error ? error.message : String(error) })
  }
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
}
