import { describe, expect, test } from 'vitest'
import type { Event, EventBody } from '../../src/base/event.ts'
import { makeBoard } from '../../src/report/board.ts'
import type { Board } from '../../src/report/board.ts'
import { PLAIN_PALETTE } from '../../src/report/palette.ts'
import { cells } from '../../src/report/printable.ts'

const counts = {
  ok: 1,
  changed: 0,
  would_change: 0,
  unknown: 0,
  skipped: 0,
  failed: 0,
  unreachable: 0,
  ignored: 0,
}
const wide = { columns: 100, rows: 40 }

function told(hosts: readonly string[]): {
  board: Board
  tell: (now: number, ...events: EventBody[]) => void
} {
  const board = makeBoard(PLAIN_PALETTE)
  const tell = (now: number, ...events: EventBody[]): void => {
    for (const body of events) board.see({ ...body, time: '', run: '' } satisfies Event, now)
  }
  tell(0, { type: 'run_start', mode: 'apply', playbooks: ['site.yml'], hosts })
  return { board, tell }
}

function at(host: string, task = 'Install packages') {
  return { host, play: 'Base', task, module: 'apt', at: 'site.yml:3:7' }
}

describe('report/board', () => {
  test('a busy host shows its task, how long it takes, and the last lines it printed', () => {
    const { board, tell } = told(['web1', 'web2'])
    tell(10, { type: 'task_start', ...at('web1') })
    expect(board.rows(wide, 15, '*')[0]).toBe('* web1  connecting')
    tell(
      20,
      { type: 'host_connected', host: 'web1', ms: 10, warnings: [] },
      { type: 'task_output', ...at('web1'), stream: 'stdout', text: 'one\ntwo\nthree\nfo' },
      { type: 'task_output', ...at('web1'), stream: 'stdout', text: 'ur\n' },
    )
    expect(board.rows(wide, 3_020, '*')).toEqual([
      '* web1  Install packages  3.0 s',
      '    │ two',
      '    │ three',
      '    │ four',
      '1/2 hosts busy · 1 waiting · 0 ok · 3.0 s',
    ])
  })

  test('a finished task leaves the board and is counted', () => {
    const { board, tell } = told(['web1'])
    const outcome = { changes: [], result: {}, ms: 1 }
    tell(10, { type: 'task_start', ...at('web1') })
    tell(
      20,
      { type: 'task_done', ...at('web1'), ...outcome, status: 'changed' },
      { type: 'task_done', ...at('web1'), ...outcome, status: 'failed', ignored: true },
      { type: 'task_done', ...at('web1'), ...outcome, status: 'ok' },
      {
        type: 'host_done',
        host: 'web1',
        counts,
        frames: 1,
        bytes_sent: 1,
        bytes_received: 1,
        ms: 20,
      },
    )
    expect(board.rows(wide, 500, '*')).toEqual(['0/1 hosts busy · 1 ok · 1 changed · 0 ms'])
  })

  test('a lost host and a failed one are counted apart', () => {
    const { board, tell } = told(['a', 'b'])
    const rest = { frames: 0, bytes_sent: 0, bytes_received: 0, ms: 1 }
    tell(
      5,
      { type: 'host_done', host: 'a', counts, ...rest, failure: { code: 'tcp', message: 'no' } },
      { type: 'host_done', host: 'b', counts: { ...counts, failed: 1 }, ...rest },
    )
    expect(board.rows(wide, 6, '*').at(-1)).toBe('0/2 hosts busy · 1 failed · 1 unreachable · 0 ok · 0 ms')
  })

  test('with many hosts short tasks stay away and the longest come first', () => {
    const names = Array.from({ length: 200 }, (_, index) => `node${index}`)
    const { board, tell } = told(names)
    tell(0, { type: 'task_start', ...at('node7') })
    tell(100, { type: 'task_start', ...at('node3') })
    tell(900, ...names.slice(100).map(host => ({ type: 'task_start', ...at(host) }) as const))
    const rows = board.rows(wide, 1_000, '*')
    expect(rows.map(row => row.split(/ +/)[1])).toEqual(['node7', 'node3', 'hosts'])
  })

  test.each([
    [80, 24],
    [20, 5],
    [8, 3],
    [200, 2],
  ])('200 busy hosts fit into %i × %i', (columns, rows) => {
    const names = Array.from({ length: 200 }, (_, index) => `node-${index}-名前`)
    const { board, tell } = told(names)
    tell(0, ...names.map(host => ({ type: 'task_start', ...at(host, 'A task 名前 \u001b[2J') }) as const))
    tell(
      1,
      ...names.map(
        host => ({ type: 'task_output', ...at(host), stream: 'stdout', text: 'x'.repeat(9999) }) as const,
      ),
    )
    const drawn = board.rows({ columns, rows }, 5_000, '*')
    expect(drawn.length).toBeLessThanOrEqual(Math.max(1, rows - 1))
    for (const row of drawn) expect(cells(row)).toBeLessThan(columns)
    expect(drawn.join('')).not.toMatch(/\p{Cc}/u)
  })
})
