import type { Writable } from 'node:stream'

/** Where a report goes: a stream of the process or a file. */
export interface Sink {
  readonly stream: Writable
  /** Files are closed at the end, the process's own streams are not. */
  readonly closes: boolean
}

export interface Writer {
  readonly write: (text: string) => void
  /** Resolves when everything is with the operating system, or nobody reads any more. */
  readonly end: () => Promise<void>
}

/** Returns a writer that survives a reader going away (`msingi … | head`): what is written afterwards is dropped. */
export function writeTo({ stream, closes }: Sink): Writer {
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken ??= error
  }
  stream.on('error', onError)
  return {
    write(text) {
      if (text !== '' && !broken) stream.write(text)
    },
    async end() {
      if (!broken) await drained(stream, closes)
      if (!closes) stream.off('error', onError)
      if (broken && !isReaderGone(broken)) throw broken
    },
  }
}

function drained(stream: Writable, closes: boolean): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      stream.off('error', done)
      resolve()
    }
    stream.once('error', done)
    if (closes) stream.end(done)
    else stream.write('', done)
  })
}

function isReaderGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
}
