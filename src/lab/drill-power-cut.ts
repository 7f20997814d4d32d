import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../transport/session.ts'
import { defineScenario, type Stage } from './drill.ts'
import { LabError } from './error.ts'
import { boot, cutPower, isRunning, usualDiskCache } from './machine.ts'
import type { DiskCache } from './machine-words.ts'
import { onHost } from './on-host.ts'
import { emptyStore, lostDocuments, readStore, writeForever, type Workload } from './workload.ts'

const FIRST_MS = 60_000
const WRITER_MS = 300_000
/** A cut must hit the store in the middle of its work: it comes this long after the first acknowledgement. */
const EARLIEST_MS = 1000
const LATEST_MS = 6000
const PAUSE_MS = 10

interface Cut {
  readonly acknowledged: number
  readonly work: Workload
}

/** Cuts the power while documents are written, and looks for what was acknowledged. */
export const powerCut = defineScenario({
  name: 'power-cut',
  summary: 'cut the power while documents are written; nothing acknowledged may be lost',
  kinds: ['vm'],
  options: {
    durability: {
      value: 'fsync',
      meaning: 'how the store keeps what it acknowledges: `fsync`, or `none` to see it lose',
    },
    'disk-cache': {
      value: 'as usual',
      meaning: '`volatile`, `none`, or `lying` for a disk that forgets what it flushed',
    },
    folder: { value: '/var/lib/msingi-drill', meaning: 'where on the host the documents are' },
  },
  prepare,
  async break(stage, { session, work }: { session: Session; work: Workload }): Promise<Cut> {
    const counter = { acknowledged: 0 }
    const writing = session
      .exchange([{ script: writeForever(work), onOutput: countInto(counter) }], { deadlineMs: WRITER_MS })
      .then(
        ([answer]) => `the writer ended by itself: ${answer?.err ?? ''}`,
        () => undefined,
      )
    await firstAcknowledgement(counter, writing)
    const delay = randomInt(EARLIEST_MS, LATEST_MS)
    await sleep(delay)
    await cutPower(stage.lab, stage.host.name)
    const ended = await writing
    if (ended !== undefined) throw new LabError('PROGRAM_FAILED', ended)
    stage.note('cut after the first acknowledgement, ms', delay)
    stage.note('documents acknowledged', counter.acknowledged)
    return { acknowledged: counter.acknowledged, work }
  },
  async observe(stage, { acknowledged, work }) {
    const seconds = await boot(stage.lab, stage.host.name, { ...stage, ...diskCacheOf(stage) })
    stage.note('seconds until SSH answered again', Math.round(seconds))
    const session = await stage.login()
    const ranges = await onHost(session, readStore(work))
    const lost = lostDocuments(acknowledged, ranges)
    stage.note('documents whole', ranges.trim() === '' ? 'none' : ranges.trim().split('\n'))
    stage.note('documents lost', lost.length)
    return { acknowledged, lost }
  },
  judge: ({ acknowledged, lost }) => ({
    passed: lost.length === 0,
    reason:
      lost.length === 0
        ? `all of ${acknowledged} acknowledged documents are there after the power cut`
        : `${lost.length} of ${acknowledged} acknowledged documents are lost, from number ${lost[0]}`,
  }),
  async restore(stage) {
    if (!isRunning(stage.lab, stage.host.name)) await boot(stage.lab, stage.host.name, stage)
  },
})

async function prepare(stage: Stage): Promise<{ session: Session; work: Workload }> {
  const { durability, folder = '' } = stage.options
  if (durability !== 'fsync' && durability !== 'none') {
    throw new LabError('WRONG_STATE', `\`durability\` is \`${durability}\`, expected \`fsync\` or \`none\``)
  }
  const { diskCache = await usualDiskCache() } = diskCacheOf(stage)
  stage.note('disk cache', diskCache)
  // How a disk caches is settled when it is switched on.
  if (stage.options['disk-cache'] !== 'as usual' || !isRunning(stage.lab, stage.host.name)) {
    if (isRunning(stage.lab, stage.host.name)) await cutPower(stage.lab, stage.host.name)
    await boot(stage.lab, stage.host.name, { ...stage, diskCache })
  }
  const work: Workload = { folder, durability, pause: PAUSE_MS }
  const session = await stage.login()
  await onHost(session, emptyStore(work))
  return { session, work }
}

function diskCacheOf({ options }: Stage): { readonly diskCache?: DiskCache } {
  const wish = options['disk-cache']
  if (wish === 'as usual') return {}
  if (wish === 'volatile' || wish === 'lying' || wish === 'none') return { diskCache: wish }
  throw new LabError(
    'WRONG_STATE',
    `\`disk-cache\` is \`${wish}\`, expected \`volatile\`, \`lying\` or \`none\``,
  )
}

/** Counts whole lines: a number that has not arrived with its end was not acknowledged. */
function countInto(counter: { acknowledged: number }): (stream: string, text: string) => void {
  let rest = ''
  return (stream, text) => {
    if (stream !== 'stdout') return
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    const last = Number(lines.at(-1))
    if (last > 0) counter.acknowledged = last
  }
}

async function firstAcknowledgement(
  counter: { readonly acknowledged: number },
  writing: Promise<string | undefined>,
): Promise<void> {
  let ended: { readonly why: string | undefined } | undefined
  void writing.then(why => (ended = { why }))
  for (let tries = 0; tries < FIRST_MS / 100 && counter.acknowledged === 0; tries += 1) {
    if (ended) throw new LabError('PROGRAM_FAILED', ended.why ?? 'the connection was lost before the cut')
    await sleep(100)
  }
  if (counter.acknowledged === 0) throw new LabError('TOO_SLOW', 'no document was acknowledged')
}
