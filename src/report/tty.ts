import type { WriteStream } from 'node:tty'
import { Listr, ProcessOutputStream, Spinner } from 'listr2'
import type { ListrRenderer } from 'listr2'
import type { Reporter } from '../base/event.ts'
import { makeBoard } from './board.ts'
import { narrate } from './narrator.ts'
import { makeScreen } from './screen.ts'
import type { Screen } from './screen.ts'
import type { StoryOptions } from './story.ts'

const FRAME_MS = 100
/** A story waits this many frames for other hosts to tell the same. */
const FLUSH_FRAMES = 20

/**
 * Shows a run on a terminal: what happened scrolls by as lines that stay; below them a few moving lines say which host
 * does what. `terminals` are the streams that end on the same screen; what others write to them while the board stands
 * appears above it.
 */
export function ttyReporter(
  stream: WriteStream,
  terminals: readonly WriteStream[],
  options: StoryOptions,
): Reporter {
  const narrator = narrate(options)
  const board = makeBoard(options.palette)
  const stage = makeStage(stream, terminals)
  const hosts = new Map<string, PromiseWithResolvers<void>>()
  let running: Promise<unknown> | undefined
  let closing: readonly string[] = []
  let frames = 0

  function frame(spinner: string): void {
    stage.letGuestsSpeak()
    if (++frames % FLUSH_FRAMES === 0) stage.screen.above(narrator.flush())
    stage.screen.draw(board.rows({ columns: stream.columns, rows: stream.rows }, Date.now(), spinner))
  }

  return {
    report(event) {
      board.see(event, Date.now())
      const lines = narrator.tell(event)
      if (event.type === 'run_done') closing = lines
      else stage.screen.above(lines)
      if (event.type === 'run_start') running = runList(event.hosts, hosts, stage, frame)
      if (event.type === 'host_done') hosts.get(event.host)?.resolve()
    },
    async end() {
      for (const host of hosts.values()) host.resolve()
      await running
      stage.screen.above([...narrator.flush(), ...closing])
      stage.close()
    },
  }
}

/** One entry a host, each open until its host is done; the board draws them. */
async function runList(
  names: readonly string[],
  hosts: Map<string, PromiseWithResolvers<void>>,
  stage: Stage,
  frame: (spinner: string) => void,
): Promise<void> {
  const entries = names.map(name => {
    const host = Promise.withResolvers<void>()
    hosts.set(name, host)
    return { title: name, task: () => host.promise }
  })
  const list = new Listr(entries, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: BoardRenderer,
    rendererOptions: { stage, frame },
  })
  await list.run()
}

interface BoardOptions {
  readonly stage?: Stage
  readonly frame?: (spinner: string) => void
}

/** Takes the place of listr2's own list: with 200 hosts a line for each would neither fit nor be calm. */
class BoardRenderer implements ListrRenderer {
  static nonTTY = true
  static rendererOptions: BoardOptions = {}
  static rendererTaskOptions = {}
  readonly #options: BoardOptions
  readonly #spinner = new Spinner()

  constructor(_entries: readonly unknown[], options: BoardOptions) {
    this.#options = options
  }

  render(): void {
    this.#options.stage?.open()
    this.#spinner.start(() => this.#options.frame?.(this.#spinner.fetch()), FRAME_MS)
  }

  end(): void {
    this.#spinner.stop()
    this.#options.stage?.screen.clear()
  }
}

/** The screen with the streams of the process that end on it. */
interface Stage {
  readonly screen: Screen
  readonly open: () => void
  /** Shows what others wrote to the terminal since the last frame. */
  readonly letGuestsSpeak: () => void
  readonly close: () => void
}

function makeStage(stream: WriteStream, terminals: readonly WriteStream[]): Stage {
  const guests = [...new Set([stream, ...terminals])].map(guest => new ProcessOutputStream(guest))
  const own = guests[0]
  const screen = makeScreen(
    text => own?.write(text),
    () => stream.columns,
  )

  function release(): void {
    const said = guests.flatMap(guest => guest.release()).toSorted((a, b) => a.time - b.time)
    const text = said.map(({ entry }) => entry).join('')
    if (text !== '') screen.above(text.replace(/\n$/, '').split('\n'))
  }

  function close(): void {
    process.off('exit', close)
    release()
    screen.close()
  }

  return {
    screen,
    open() {
      for (const guest of guests) guest.hijack()
      process.on('exit', close)
      screen.open()
    },
    letGuestsSpeak() {
      release()
      for (const guest of guests) guest.hijack()
    },
    close,
  }
}
