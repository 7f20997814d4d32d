import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sh, type Sh } from '../shell/sh.ts'
import type { Session } from '../transport/session.ts'
import { defineScenario, type Stage } from './drill.ts'
import { LabError } from './error.ts'
import { boot, cutPower, isRunning, usualDiskCache } from './machine.ts'
import type { DiskCache } from './machine-words.ts'
import { onHost } from './on-host.ts'
import { readThroughCht, writeThroughCht } from './workload-cht.ts'
import { emptyStore, lostDocuments, readStore, writeForever, type Workload } from './workload.ts'

/** An emulated machine that shares its processor takes its time to answer over TLS. */
const FIRST_MS = 180_000
const WRITER_MS = 300_000
/** A cut must hit the store in the middle of its work: it comes this long after the first acknowledgement. */
const EARLIEST_MS = 1000
const LATEST_MS = 6000
const PAUSE_MS = 10

/** Where documents are written, and looked for after the cut. */
interface Store {
  readonly write: Sh
  readonly read: Sh
  /** Waits, after the cut, until the store answers again, and prints how many seconds after the start of the kernel that was. */
  readonly back?: Sh
}

interface Cut {
  readonly acknowledged: number
  readonly store: Store
}

/** Cuts the power while documents are written, and looks for what was acknowledged. */
export const powerCut = defineScenario({
  name: 'power-cut',
  summary: 'cut the power while documents are written; nothing acknowledged may be lost',
  kinds: ['vm'],
  options: {
    store: {
      value: 'file',
      meaning:
        'where documents are written: `file`, a small store of the drill, or `cht`, the CHT of the host',
    },
    'ready-within': { value: '1800', meaning: 'with `store=cht`, seconds until it must be back' },
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
  async break(stage, { session, store }: { session: Session; store: Store }): Promise<Cut> {
    const counter = { acknowledged: 0 }
    const writing = session
      .exchange([{ script: store.write, onOutput: countInto(counter) }], { deadlineMs: WRITER_MS })
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
    return { acknowledged: counter.acknowledged, store }
  },
  async observe(stage, { acknowledged, store }) {
    const seconds = await boot(stage.lab, stage.host.name, { ...stage, ...diskCacheOf(stage) })
    stage.note('seconds until SSH answered again', Math.round(seconds))
    const session = await stage.login()
    if (store.back) {
      const back = await onHost(session, store.back, (Number(stage.options['ready-within']) + 60) * 1000)
      stage.note('seconds from the start of the kernel until CHT was ready', Number(back.trim()))
    }
    const ranges = await onHost(session, store.read)
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

async function prepare(stage: Stage): Promise<{ session: Session; store: Store }> {
  const open = storeFor(stage.options)
  const { diskCache = await usualDiskCache() } = diskCacheOf(stage)
  stage.note('disk cache', diskCache)
  // How a disk caches is settled when it is switched on.
  if (stage.options['disk-cache'] !== 'as usual' || !isRunning(stage.lab, stage.host.name)) {
    if (isRunning(stage.lab, stage.host.name)) await cutPower(stage.lab, stage.host.name)
    await boot(stage.lab, stage.host.name, { ...stage, diskCache })
  }
  const session = await stage.login()
  return { session, store: await open(session) }
}

type OpenStore = (session: Session) => Promise<Store>

function storeFor({ store, durability, folder = '', ...options }: Stage['options']): OpenStore {
  if (durability !== 'fsync' && durability !== 'none') {
    throw new LabError('WRONG_STATE', `\`durability\` is \`${durability}\`, expected \`fsync\` or \`none\``)
  }
  if (store === 'cht') return session => chtStore(session, Number(options['ready-within']))
  if (store !== 'file')
    throw new LabError('WRONG_STATE', `\`store\` is \`${store}\`, expected \`file\` or \`cht\``)
  const work: Workload = { folder, durability, pause: PAUSE_MS }
  return async session => {
    await onHost(session, emptyStore(work))
    return { write: writeForever(work), read: readStore(work) }
  }
}

/** The host must bring CHT back by itself: the drill only waits, and reads from the host's own check when it was ready. */
async function chtStore(session: Session, seconds: number): Promise<Store> {
  if (!(seconds > 0)) throw new LabError('WRONG_STATE', '`ready-within` is no number of seconds')
  await onHost(session, sh`/usr/local/sbin/cht-host ready`)
  const prefix = `msingi-drill-${randomBytes(4).toString('hex')}-`
  const script = `tries=0
until [ "$(sed -n 's/.*"boot": "\\([^"]*\\)".*/\\1/p' "$1" 2>/dev/null)" = "$(cat /proc/sys/kernel/random/boot_id)" ]; do
  tries=$((tries + 1))
  [ "$tries" -le "$2" ] || { echo 'the check after the start has not seen CHT ready' >&2; exit 1; }
  sleep 1
done
sed -n 's/.*"ready_after": \\([0-9]*\\).*/\\1/p' "$1"`
  const back = sh`sh -c ${script} sh /var/lib/boot-check/last.json ${seconds}`
  return { write: writeThroughCht(prefix), read: readThroughCht(prefix), back }
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
  if (counter.acknowledged === 0)
    throw new LabError('TOO_SLOW', `no document was acknowledged within ${FIRST_MS / 1000} s`)
}
