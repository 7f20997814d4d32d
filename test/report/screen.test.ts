import { describe, expect, test } from 'vitest'
import { makeScreen } from '../../src/report/screen.ts'

/** As much of a terminal as a screen uses: cursor up, carriage return, line feed, erasing. */
function terminal(columns: number) {
  const lines: string[] = ['']
  let row = 0
  let hidden = false
  function put(text: string): void {
    lines[row] = (lines[row] ?? '') + text
  }
  function write(output: string): void {
    for (const [token = ''] of output.matchAll(/\p{Cc}\[\??\d*[A-Za-z]|\r|\n|\P{Cc}+/gu)) {
      const up = /^\[(\d+)A$/.exec(token.slice(1))
      if (up) row -= Number(up[1])
      else if (token === '\r') lines[row] = `\r${lines[row] ?? ''}`
      else if (token === '\n') {
        row++
        lines[row] ??= ''
      } else if (token.endsWith('[K')) continue
      else if (token.endsWith('[0J')) lines.splice(row, Infinity, '')
      else if (token.endsWith('[?25l')) hidden = true
      else if (token.endsWith('[?25h')) hidden = false
      else if (!token.startsWith('\u001b')) {
        lines[row] = ''
        put(token)
      }
    }
  }
  return {
    write,
    columns: () => columns,
    shown: () => lines.map(line => line.replace('\r', '')).filter(line => line !== ''),
    isHidden: () => hidden,
  }
}

describe('report/screen', () => {
  test('rows are drawn in place, lines above them stay', () => {
    const tty = terminal(80)
    const screen = makeScreen(tty.write, tty.columns)
    screen.open()
    screen.draw(['a 1', 'b 1', 'total'])
    screen.above(['changed a'])
    screen.draw(['b 2', 'total'])
    screen.above(['failed b', '  why'])
    expect(tty.shown()).toEqual(['changed a', 'failed b', '  why', 'b 2', 'total'])
    screen.close()
    expect(tty.shown()).toEqual(['changed a', 'failed b', '  why'])
  })

  test('the cursor is hidden while it stands and comes back, once', () => {
    const tty = terminal(80)
    const screen = makeScreen(tty.write, tty.columns)
    screen.open()
    expect(tty.isHidden()).toBe(true)
    screen.draw(['x'])
    screen.close()
    expect(tty.isHidden()).toBe(false)
    const before = tty.shown()
    screen.close()
    screen.draw(['y'])
    expect(tty.shown()).toEqual(before)
  })

  test('after the terminal became narrower it erases the rows where they now stand', () => {
    let out = ''
    let columns = 40
    const screen = makeScreen(
      text => {
        out = text
      },
      () => columns,
    )
    screen.open()
    screen.draw(['x'.repeat(39), 'y'.repeat(10)])
    columns = 20
    screen.draw(['z'])
    expect(out).toContain('\u001b[3A')
  })
})
