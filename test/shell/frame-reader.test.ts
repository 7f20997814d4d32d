import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { TaskError } from '../../src/base/error.ts'
import type { Completed } from '../../src/base/result.ts'
import { FrameReader, type Hello, type StreamName, type Wanted } from '../../src/shell/frame-reader.ts'

const MARKER = '0123456789abcdef0123456789abcdef'

interface Received {
  readonly reader: FrameReader
  readonly hellos: Hello[]
  readonly answers: (readonly (Completed | TaskError)[])[]
}

function makeReader(): Received {
  const received = { hellos: [] as Hello[], answers: [] as (readonly (Completed | TaskError)[])[] }
  const reader = new FrameReader(MARKER, {
    hello: hello => received.hellos.push(hello),
    answers: answers => received.answers.push(answers),
  })
  return { ...received, reader }
}

function greeted(): Received {
  const made = makeReader()
  feed(made.reader, 'stdout', `\n${MARKER} hello 0 42 /run/msingi.x root\n`)
  feed(made.reader, 'stderr', `\n${MARKER} hello 0 42 /run/msingi.x root\n`)
  return made
}

function feed(reader: FrameReader, stream: StreamName, data: string | Buffer): void {
  reader.push(stream, Buffer.from(data))
}

function feedBytewise(reader: FrameReader, stream: StreamName, data: string): void {
  for (const byte of Buffer.from(data)) reader.push(stream, Buffer.from([byte]))
}

/** Output made of what is most likely to confuse: pieces of the marker, newlines, bytes that are no text. */
const output = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        `\n${MARKER}`,
        MARKER,
        `\n${MARKER.slice(0, 9)}`,
        ' ',
        '1.0 0 0',
        'ñ',
        '\u{1F41B}',
        '\0',
      ),
      fc.string(),
      fc.uint8Array({ maxLength: 4 }).map(bytes => Buffer.from(bytes)),
    ),
    { maxLength: 8 },
  )
  .map(pieces => Buffer.concat(pieces.map(piece => Buffer.from(piece))))
  .filter(bytes => !bytes.includes(`\n${MARKER} `))

const part = fc.record({ out: output, err: output, code: fc.nat(255), ms: fc.nat(100_000) })

describe('FrameReader', () => {
  test('understands any answers under any split of bytes', () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (parts, sizes) => {
          const { reader, answers } = greeted()
          reader.expect(
            9,
            parts.map(() => ({})),
          )
          for (const stream of ['stdout', 'stderr'] as const) {
            const wire = parts.map(({ out, err, code, ms }, i) =>
              Buffer.concat([
                stream === 'stdout' ? out : err,
                Buffer.from(`\n${MARKER} 9.${i} ${code} ${ms}\n`),
              ]),
            )
            let rest = Buffer.concat(wire)
            while (rest.length > 0) {
              const size = sizes.next().value ?? 1
              reader.push(stream, rest.subarray(0, size))
              rest = rest.subarray(size)
            }
          }
          expect(answers).toHaveLength(1)
          answers[0]?.forEach((answer, i) => {
            const wish = parts[i]
            if (answer instanceof TaskError || !wish) throw new Error('no answer')
            expect(Buffer.from(answer.out, answer.encoding)).toEqual(wish.out)
            expect(Buffer.from(answer.err, answer.encoding)).toEqual(wish.err)
            expect([answer.code, answer.ms, answer.dropped]).toEqual([wish.code, wish.ms, undefined])
          })
        },
      ),
      { numRuns: 150 },
    )
  })

  test('reads the greeting byte by byte and keeps what stands before it as noise', () => {
    const { reader, hellos } = makeReader()
    feedBytewise(reader, 'stdout', `Welcome\n\n\n${MARKER} hello 1000 7 - DOM\\jané doe\n`)
    expect(hellos).toEqual([])
    feedBytewise(reader, 'stderr', `stty: no\n\n${MARKER} hello 1000 7 - DOM\\jané doe\n`)
    expect(hellos).toEqual([{ uid: 1000, pid: 7, scratch: undefined, user: 'DOM\\jané doe' }])
    expect(reader.noise('stdout')).toBe('Welcome\n\n')
    expect(reader.noise('stderr')).toBe('stty: no\n')
  })

  test('passes the end of a line on before the next one comes, and once only', () => {
    const { reader, answers } = greeted()
    let seen = ''
    reader.expect(1, [{ onOutput: (_, text) => (seen += text) }])
    vi.useFakeTimers()
    feed(reader, 'stdout', 'waiting\n')
    vi.advanceTimersByTime(1000)
    expect(seen).toBe('waiting\n')
    feed(reader, 'stdout', '\n')
    vi.advanceTimersByTime(1000)
    expect(seen).toBe('waiting\n\n')
    feed(reader, 'stdout', 'done\n\n')
    vi.advanceTimersByTime(10)
    vi.useRealTimers()
    feed(reader, 'stdout', `${MARKER} 1.0 0 10\n`)
    feed(reader, 'stderr', `\n${MARKER} 1.0 0 10\n`)
    expect(seen).toBe('waiting\n\ndone\n')
    expect(answers).toMatchObject([[{ out: 'waiting\n\ndone\n' }]])
  })

  test('passes output on at once, whole characters only, and without the marker', () => {
    const { reader, answers } = greeted()
    const seen: string[] = []
    reader.expect(1, [{ onOutput: (stream, text) => seen.push(`${stream}:${text}`) }, {}])
    const bug = Buffer.from('\u{1F41B}')
    feed(reader, 'stdout', 'a')
    feed(reader, 'stdout', bug.subarray(0, 2))
    feed(reader, 'stdout', bug.subarray(2))
    feed(reader, 'stderr', 'oops')
    expect(seen).toEqual(['stdout:a', 'stdout:\u{1F41B}', 'stderr:oops'])
    feed(reader, 'stdout', `\n${MARKER} 1.0 0 10\nnext\n${MARKER} 1.1 2 0\n`)
    expect(answers).toEqual([])
    feed(reader, 'stderr', `\n${MARKER} 1.0 0 10\n\n${MARKER} 1.1 2 0\n`)
    expect(seen).toHaveLength(3)
    expect(answers).toEqual([
      [
        { code: 0, ms: 10, out: 'a\u{1F41B}', err: 'oops', encoding: 'utf8' },
        { code: 2, ms: 0, out: 'next', err: '', encoding: 'utf8' },
      ],
    ])
  })

  test.each<[string, Wanted, number | string]>([
    ['watched', { limit: 10, onOutput: () => undefined }, 990],
    ['not watched', { limit: 10 }, 'OUTPUT_TOO_LONG'],
  ])('limits what is kept of a part that is %s', (_how, wanted, outcome) => {
    const { reader, answers } = greeted()
    reader.expect(1, [wanted])
    feed(reader, 'stdout', `first${'x'.repeat(990)}`)
    feed(reader, 'stdout', 'l')
    feed(reader, 'stdout', `ast.\n${MARKER} 1.0 0 0\n`)
    feed(reader, 'stderr', `\n${MARKER} 1.0 0 0\n`)
    const [answer] = answers[0] ?? []
    const got = answer instanceof TaskError ? answer.code : answer?.dropped
    expect(got).toBe(outcome)
    const text = answer instanceof TaskError ? 'first…last.' : answer?.out
    expect(text).toMatch(/^first(.|\n)*last\.$/)
  })

  test('cuts long text between characters', () => {
    for (let shift = 0; shift < 4; shift++) {
      const { reader, answers } = greeted()
      reader.expect(1, [{ limit: 100, onOutput: () => undefined }])
      feed(reader, 'stdout', `${'a'.repeat(shift)}${'\u{1F41B}'.repeat(200)}\n${MARKER} 1.0 0 0\n`)
      feed(reader, 'stderr', `\n${MARKER} 1.0 0 0\n`)
      const [answer] = answers[0] ?? []
      if (!answer || answer instanceof TaskError) throw new Error('no answer')
      expect(answer.encoding).toBe('utf8')
      expect(answer.out).not.toContain('\uFFFD')
      const kept = Buffer.byteLength(answer.out) - Buffer.byteLength(`\n[${answer.dropped} bytes left out]\n`)
      expect(kept + (answer.dropped ?? 0)).toBe(800 + shift)
    }
  })

  test.each([
    ['an answer nobody asked for', `\n${MARKER} 1.0 0 0\n`],
    ['a second greeting', `\n${MARKER} hello 0 1 /x root\n`],
  ])('refuses %s', (_what, bytes) => {
    const { reader } = greeted()
    expect(() => feed(reader, 'stdout', bytes)).toThrow(Error)
  })

  test.each([
    ['of another frame', `\n${MARKER} 2.0 0 0\n`],
    ['out of order', `\n${MARKER} 1.1 0 0\n`],
    ['without a status', `\n${MARKER} 1.0\n`],
    ['that never ends', `\n${MARKER} ${'1'.repeat(9000)}`],
  ])('refuses an answer %s', (_what, bytes) => {
    const { reader } = greeted()
    reader.expect(1, [{}, {}])
    expect(() => feed(reader, 'stdout', bytes)).toThrow(Error)
  })

  test('keeps output between frames out of the answers', () => {
    const { reader, answers } = greeted()
    feed(reader, 'stdout', 'late')
    reader.expect(1, [{}])
    feed(reader, 'stdout', `on time\n${MARKER} 1.0 0 0\n`)
    feed(reader, 'stderr', `\n${MARKER} 1.0 0 0\n`)
    expect(answers[0]).toMatchObject([{ out: 'on time' }])
    expect(reader.noise('stdout')).toBe('late')
  })
})
