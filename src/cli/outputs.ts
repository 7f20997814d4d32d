import { createWriteStream, openSync, renameSync, rmSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { UsageError } from '../base/error.ts'
import type { Reporter } from '../base/event.ts'
import { didYouMean } from '../base/nearest.ts'
import { paletteFor } from '../report/palette.ts'
import type { Sink } from '../report/sink.ts'
import type { OutputFlags } from './options.ts'

const FORMS = ['tty', 'plain', 'json', 'junit', 'prometheus', 'html'] as const
type Form = (typeof FORMS)[number]

/** One `--output`, understood. */
export interface Wish {
  readonly form: Form
  readonly file: string | undefined
}

/** The process's streams and what is known about them. */
export interface Outside {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
}

/**
 * Returns what is to be written where. Without a wish: the terminal's form on a terminal, else lines.
 *
 * @throws UsageError BAD_OPTION for an unknown form, or two that would share stdout.
 */
export function readWishes(values: readonly string[], { stdout, env }: Outside): readonly Wish[] {
  if (values.length === 0) {
    const isScreen = stdout.isTTY === true && !env['CI'] && env['TERM'] !== 'dumb'
    return [{ form: isScreen ? 'tty' : 'plain', file: undefined }]
  }
  const wishes = values.map(readWish)
  const onStdout = wishes.filter(({ form, file }) => file === undefined && !isForPeople(form))
  const forPeople = wishes.filter(({ form, file }) => file === undefined && isForPeople(form))
  if (onStdout.length > 1 || forPeople.length > 1) {
    const names = (onStdout.length > 1 ? onStdout : forPeople).map(({ form }) => `\`${form}\``).join(' and ')
    throw new UsageError(
      'BAD_OPTION',
      `${names} cannot share one stream`,
      'write one of them to a file: --output json=FILE',
    )
  }
  return wishes
}

function readWish(value: string): Wish {
  const [, name = '', file] = /^([^=]*)(?:=(.*))?$/s.exec(value) ?? []
  const form = FORMS.find(known => known === name)
  if (form === undefined || file === '') {
    const what =
      form === undefined ? `\`--output ${name}\` is no form` : `\`--output ${value}\` names no file`
    throw new UsageError('BAD_OPTION', what, didYouMean(name, FORMS) ?? `choose one of ${FORMS.join(', ')}`)
  }
  if (form === 'tty' && file !== undefined) {
    throw new UsageError(
      'BAD_OPTION',
      '`--output tty` needs a terminal, not a file',
      'use `plain` for a file',
    )
  }
  return { form, file }
}

function isForPeople(form: Form): boolean {
  return form === 'tty' || form === 'plain'
}

/**
 * Makes the reporters. What is for people goes to stderr where a form for machines has stdout.
 *
 * @throws UsageError BAD_OPTION where a file cannot be written.
 */
export async function openReporters(
  wishes: readonly Wish[],
  flags: OutputFlags,
  outside: Outside,
): Promise<readonly Reporter[]> {
  const isStdoutTaken = wishes.some(({ form, file }) => file === undefined && !isForPeople(form))
  return Promise.all(
    wishes.map(async wish => {
      const stream = isForPeople(wish.form) && isStdoutTaken ? outside.stderr : outside.stdout
      return wish.file === undefined
        ? openReporter(wish.form, { stream, closes: false }, flags, outside)
        : openFile(wish.form, wish.file, flags, outside)
    }),
  )
}

async function openReporter(form: Form, sink: Sink, flags: OutputFlags, outside: Outside): Promise<Reporter> {
  const palette = paletteFor(sink.stream as { isTTY?: boolean }, sink.closes ? {} : outside.env)
  const story = { palette, verbosity: flags.verbose, diff: flags.diff === true }
  switch (form) {
    case 'tty': {
      if (!isTerminal(sink.stream)) return openReporter('plain', sink, flags, outside)
      const { ttyReporter } = await import('../report/tty.ts')
      const terminals = [outside.stdout, outside.stderr].filter(isTerminal)
      return ttyReporter(sink.stream, terminals, story)
    }
    case 'plain': {
      const { plainReporter } = await import('../report/plain.ts')
      return plainReporter(sink, story)
    }
    case 'json': {
      const { jsonReporter } = await import('../report/json.ts')
      return jsonReporter(sink)
    }
    case 'junit': {
      const { junitReporter } = await import('../report/junit.ts')
      return junitReporter(sink)
    }
    case 'prometheus': {
      const { prometheusReporter } = await import('../report/prometheus.ts')
      return prometheusReporter(sink)
    }
    case 'html': {
      const { htmlReporter } = await import('../report/html.ts')
      return htmlReporter(sink)
    }
  }
}

/** A file that is whole only at the end gets its name only then: collectors must not read half of it. */
async function openFile(form: Form, file: string, flags: OutputFlags, outside: Outside): Promise<Reporter> {
  const growing = form === 'json' || form === 'plain'
  const path = growing ? file : `${file}.part`
  const stream = createWriteStream(path, { fd: openForWriting(path) })
  const reporter = await openReporter(form, { stream, closes: true }, flags, outside)
  if (growing) return reporter
  return {
    report: reporter.report,
    async end() {
      try {
        await reporter.end()
        renameSync(path, file)
      } catch (error) {
        rmSync(path, { force: true })
        throw error
      }
    },
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unwritable'
    throw new UsageError('BAD_OPTION', `\`${path}\` cannot be written: ${why}`)
  }
}

function isTerminal(stream: Writable & { readonly isTTY?: boolean }): stream is WriteStream {
  return stream.isTTY === true
}
