import { collect } from '../bundle/collect.ts'
import { readWish } from '../bundle/wish.ts'
import { openSources } from '../syntax/files.ts'
import { EXIT } from './exit.ts'
import { interruptible } from './interrupt.ts'

/** Makes the archive and prints its path. */
export async function bundle(file: string, folder: string): Promise<number> {
  const wish = readWish(file, openSources())
  const { signal, release } = interruptible(say)
  try {
    const path = await collect(wish, { folder, made: new Date().toISOString(), say, signal })
    process.stdout.write(`${path}\n`)
    return EXIT.done
  } finally {
    release()
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
