import { describe, expect, test } from 'vitest'
import type { Step } from '../../src/plan/step.ts'
import { emptyKept, noted, noteScript } from '../../src/run/kept.ts'
import { handlerName, OwedHandlers } from '../../src/run/owed.ts'
import { doneLine, owedLine, readOwed, runsIn, type Owed } from '../../src/shell/journal.ts'
import { fakeProject } from '../support/fake-run.ts'

const play = (() => {
  const text = `- name: web
  hosts: all
  tasks:
    - put: {key: a, value: 1}
      notify: [one, two]
  handlers:
    - {name: one, act: x}
    - {name: two, act: y}
    - {name: two, act: z}
`
  const [first] = fakeProject(text, ['h']).project.plays
  if (!first) throw new Error('no play')
  return first
})()

const task = play.handlers[0] as Step

const owed = (change: number, handler: string, run = 'r0'): Owed => ({
  run,
  change,
  host: '-',
  handler,
  isMade: true,
})

describe('what is owed', () => {
  test('is found by the play or role that defines it, equal names by their order', () => {
    expect(play.handlers.map(handler => handlerName(play, handler))).toEqual([
      'play web: one',
      'play web: two',
      'play web: two #2',
    ])
    const book = new OwedHandlers('apply')
    book.found(emptyKept(0), owed(1, 'play web: two #2'))
    book.found(emptyKept(0), owed(2, 'play db: one'))
    expect(book.of(play)).toEqual([play.handlers[2]])
  })

  test('is crossed out when it has run, and the file goes with the last of it', () => {
    const [book, kept] = [new OwedHandlers('apply'), emptyKept(0)]
    book.sending(task, kept, { run: 'r1', change: 3 }, '-', ['a', 'b'])
    book.notified(task, ['a', 'b'])
    expect(noteScript(kept)).toBeUndefined()
    expect(book.linesFor('a', kept)).toEqual([doneLine({ run: 'r1', change: 3 }, 'a')])
    book.done('a')
    expect(noteScript(kept)?.text).toContain('done r1 3 a')
    book.done('b')
    expect(noteScript(kept)?.text).toContain('rm -f -- /var/lib/msingi/owed')
    expect(book.linesFor('b', kept)).toEqual([])
  })

  test('is crossed out where the change was not made, and stays where nobody knows', () => {
    const [book, kept] = [new OwedHandlers('apply'), emptyKept(1000)]
    book.sending(task, kept, { run: 'r1', change: 1 }, '-', ['a'])
    book.notified(task, [])
    book.sending(task, kept, { run: 'r1', change: 2 }, '-', ['a'])
    book.undecided(task)
    expect(kept.notes).toEqual([doneLine({ run: 'r1', change: 1 }, 'a')])
    expect([...kept.owed].map(({ change }) => change)).toEqual([2])
  })

  test('of others stays when nothing of ours is left', () => {
    const [book, kept] = [new OwedHandlers('apply'), emptyKept(0)]
    kept.owed.add(owed(7, 'play other: x'))
    book.sending(task, kept, { run: 'r1', change: 1 }, '-', ['a'])
    book.notified(task, ['a'])
    book.done('a')
    const text = noteScript(kept)?.text ?? ''
    expect(text).toContain(owedLine({ run: 'r0', change: 7 }, '-', ['play other: x']))
    expect(text).not.toContain('rm -f')
  })

  test('goes with the first frame where all of it is settled', () => {
    const kept = emptyKept(0)
    for (const run of runsIn(`${owedLine({ run: 'r0', change: 1 }, '-', ['a'])}\ndone r0 1 a\n\nowed r-1 4`))
      kept.runs.add(run)
    expect(noteScript(kept)).toBeUndefined()
    kept.isStale = true
    expect(noteScript(kept)?.text).toMatch(/for r in r0 r-1;[^]*rm -f/)
    new OwedHandlers('apply').sending(task, kept, { run: 'r1', change: 1 }, '-', ['a'])
    expect(noteScript(kept)).toBeUndefined()
    noted(kept, 0)
    expect(kept.isStale).toBe(true)
  })

  test('is not crossed out by a plan', () => {
    const [book, kept] = [new OwedHandlers('plan'), emptyKept(0)]
    book.found(kept, owed(1, 'play web: one'))
    book.done('play web: one')
    expect(kept.notes).toEqual([])
  })
})

describe('the file of what is owed', () => {
  const first = owedLine({ run: 'r1', change: 1 }, '-', ['a', 'b'])

  test('is read with all that was said later', () => {
    const second = owedLine({ run: 'r1', change: 2 }, 'web 2', ['a'])
    const text = `\n${first}\n\n${second}\n\nmade r1 1\n\ndone r1 1 b\n`
    expect(readOwed(text)).toEqual([
      { run: 'r1', change: 1, host: '-', handler: 'a', isMade: true },
      { run: 'r1', change: 2, host: 'web 2', handler: 'a', isMade: false },
    ])
    expect(readOwed(`${text}\nvoid r1 2\n`)).toHaveLength(1)
  })

  test('is read past what a power cut tore or a stranger wrote', () => {
    const odd = [
      'owed r1',
      'owed r1 x - a',
      'owed r1 1 %ZZ a',
      'owed r1 1 - %ZZ',
      '\0\0\0',
      'made',
      'done r1',
      'owed',
    ]
    expect(readOwed(odd.join('\n'))).toEqual([])
    expect(readOwed(`owed r1 9 - \n${first}\n`)).toHaveLength(2)
  })
})
