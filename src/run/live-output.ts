/** A line that never ends is passed on at this length. */
const LONGEST = 8192

/**
 * Passes output on in whole lines: a secret is masked only where it stands in one piece, and pieces of a stream end
 * anywhere.
 */
export class LiveOutput {
  readonly #pass: (stream: 'stdout' | 'stderr', text: string) => void
  readonly #kept = { stdout: '', stderr: '' }

  constructor(pass: (stream: 'stdout' | 'stderr', text: string) => void) {
    this.#pass = pass
  }

  readonly take = (stream: 'stdout' | 'stderr', text: string): void => {
    const all = this.#kept[stream] + text
    const end = all.length > LONGEST ? all.length : all.lastIndexOf('\n') + 1
    this.#kept[stream] = all.slice(end)
    if (end > 0) this.#pass(stream, all.slice(0, end))
  }

  /** Passes on what is left when the task has ended. */
  readonly end = (): void => {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#kept[stream] !== '') this.#pass(stream, this.#kept[stream])
      this.#kept[stream] = ''
    }
  }
}
