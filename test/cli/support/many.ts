import { statusOf } from '../../../src/cli/main.ts'

/** What a command line came to. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

// Runs many command lines one after the other in one process, because starting one for each would take the time of all
// other tests together. Reads a list of argument lists from the first argument, prints a list of outcomes.
if (process.argv[1] === import.meta.filename) {
  const outcomes: Outcome[] = []
  for (const argv of JSON.parse(process.argv[2] ?? '[]') as readonly string[][]) {
    outcomes.push(await outcomeOf(argv))
  }
  process.stdout.write(JSON.stringify(outcomes))
}

async function outcomeOf(argv: readonly string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' }
  const restore = (['stdout', 'stderr'] as const).map(name => {
    const stream = process[name]
    const write = stream.write.bind(stream)
    stream.write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      said[name] += String(chunk)
      const done = rest.at(-1)
      if (typeof done === 'function') done()
      return true
    }
    return () => {
      stream.write = write
    }
  })
  try {
    const code = await statusOf(argv)
    return { code, ...said }
  } finally {
    for (const back of restore) back()
  }
}
