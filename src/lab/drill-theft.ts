import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sh, type Sh } from '../shell/sh.ts'
import type { Session } from '../transport/session.ts'
import { defineScenario, type Stage } from './drill.ts'
import { LabError } from './error.ts'
import { boot, cutPower, isRunning } from './machine.ts'
import { disksOf, FILES } from './machine-words.ts'
import { onHost } from './on-host.ts'
import { hostFolder } from './state.ts'
import { readThroughCht, writeThroughCht } from './workload-cht.ts'

const COMMAND_MS = 120_000
const DOCUMENTS = 20
const OWN_TPM = `${FILES.tpm}.own`

interface Loot {
  /** Stands in every document that was written through CHT. */
  readonly prefix: string
  /** Was written to a disk that is not encrypted: a search that does not find it is no search. */
  readonly control: string
}

interface Seen {
  readonly found: number
  readonly control: number
  readonly opened: boolean
  readonly serves: boolean
  readonly recovered: boolean
}

/** Takes the disks away with patients' records on them, and looks what a thief gets. */
export const theft = defineScenario({
  name: 'theft',
  summary: 'steal the disks: no record may be read from them, and only the recovery key may open them',
  kinds: ['vm'],
  options: {
    device: { value: '/dev/disk/by-id/virtio-data', meaning: 'the encrypted disk, as the host calls it' },
    name: { value: 'data', meaning: 'name of the open volume below /dev/mapper' },
    'recovery-key': { value: '', meaning: 'file on this machine that holds the recovery key' },
  },
  prepare,
  async break(stage, loot: Loot): Promise<Loot> {
    await cutPower(stage.lab, stage.host.name)
    return loot
  },
  observe,
  judge: ({ found, control, opened, serves, recovered }) => {
    if (control === 0)
      throw new LabError(
        'WRONG_STATE',
        'not even the mark beside the volume was found: the search proves nothing',
      )
    const wrongs = [
      found > 0 && `${found} marks of records were found on the raw disks`,
      opened && 'the volume opened in a strange machine',
      serves && 'CHT started without its data',
      !recovered && 'the recovery key does not open the volume',
    ].filter(wrong => wrong !== false)
    return {
      passed: wrongs.length === 0,
      reason: wrongs.join('; ') || 'no record was found on the disks, which opened by the recovery key alone',
    }
  },
  async restore(stage) {
    const { lab, host, cache } = stage
    const folder = hostFolder(lab, host.name)
    if (existsSync(join(folder, OWN_TPM))) {
      if (isRunning(lab, host.name)) await cutPower(lab, host.name)
      rmSync(join(folder, FILES.tpm), { recursive: true, force: true })
      renameSync(join(folder, OWN_TPM), join(folder, FILES.tpm))
    }
    if (!isRunning(lab, host.name)) await boot(lab, host.name, { cache, signal: stage.signal })
  },
})

async function prepare(stage: Stage): Promise<Loot> {
  if (stage.options['recovery-key'] === '' || stage.lab.hardware?.tpm !== true)
    throw new LabError('WRONG_STATE', 'a machine with a TPM and `--set recovery-key=FILE` are needed')
  const session = await stage.login()
  await onHost(session, sh`/usr/local/sbin/cht-host ready`)
  const loot = { prefix: `msingi-theft-${mark()}-`, control: `msingi-control-${mark()}` }
  const script = `i=0; while [ $i -lt 2000 ]; do echo "$1"; i=$((i + 1)); done > /var/tmp/msingi-control && sync`
  await onHost(session, sh`sh -c ${script} sh ${loot.control}`)
  await onHost(session, writeThroughCht(loot.prefix, DOCUMENTS))
  stage.note('documents written through CHT', (await onHost(session, readThroughCht(loot.prefix))).trim())
  // What memory holds of them goes to the swap.
  const press = `[ ! -w /sys/fs/cgroup/memory.reclaim ] || echo 512M > /sys/fs/cgroup/memory.reclaim 2>/dev/null || :; sync; cat /proc/swaps`
  const swaps = (await onHost(session, sh`sh -c ${press}`)).trim().split('\n').slice(1)
  stage.note('swap', swaps.length === 0 ? 'none' : swaps)
  return loot
}

async function observe(stage: Stage, { prefix, control }: Loot): Promise<Seen> {
  const { lab, host, options, cache, signal } = stage
  const folder = hostFolder(lab, host.name)
  const files = lab.hardware ? disksOf(lab.hardware).map(({ file }) => join(folder, file)) : []
  const [found, controls] = [
    await countIn(files, prefix, { signal }),
    await countIn(files, control, { signal }),
  ]
  stage.note('marks of records on the raw disks', found)
  stage.note('marks beside the volume on the raw disks', controls)
  renameSync(join(folder, FILES.tpm), join(folder, OWN_TPM))
  await boot(lab, host.name, { cache, signal })
  const session = await stage.login()
  // As long as the real machine would take to open it.
  await settle(session)
  const opened = (await status(session, sh`test -e /dev/mapper/${options['name'] ?? ''}`)) === 0
  const serves = (await status(session, sh`systemctl --quiet is-active docker`)) === 0
  stage.note('opened in a strange machine', opened)
  stage.note('Docker runs in a strange machine', serves)
  const key = readFileSync(options['recovery-key'] ?? '', 'utf8').trim()
  const tried = sh`printf %s ${key} | cryptsetup open --test-passphrase --disable-external-tokens --key-file - -- ${options['device'] ?? ''}`
  const recovered = (await status(session, tried)) === 0
  stage.note('opened by the recovery key', recovered)
  return { found, control: controls, opened, serves, recovered }
}

/** Waits until nothing is about to start Docker any more; the question for a passphrase nobody answers stays open for ever. */
async function settle(session: Session): Promise<void> {
  const settled = sh`systemctl is-system-running 2>&1 | grep -Eqx 'running|degraded' ||
    { [ "$(cut -d. -f1 /proc/uptime)" -gt 120 ] && ! systemctl list-jobs --no-legend | grep -q ' docker[.]service .* running'; }`
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await status(session, settled)) === 0) return
    await sleep(5000)
  }
}

interface Search {
  readonly signal: AbortSignal
  /** Bytes that are read at a time. */
  readonly piece?: number
}

/** Returns how often the text stands in the files, across the edges of what is read at a time. */
export async function countIn(
  files: readonly string[],
  text: string,
  { signal, piece = 2 ** 22 }: Search,
): Promise<number> {
  const wanted = Buffer.from(text)
  let found = 0
  for (const file of files) {
    let rest = Buffer.alloc(0)
    for await (const read of createReadStream(file, { highWaterMark: piece, signal })) {
      const bytes = Buffer.concat([rest, read as Buffer])
      for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found += 1
      rest = bytes.subarray(Math.max(0, bytes.length - wanted.length + 1))
    }
  }
  return found
}

function mark(): string {
  return randomBytes(8).toString('hex')
}

async function status(session: Session, script: Sh): Promise<number | undefined> {
  const [answer] = await session.exchange([{ script }], { deadlineMs: COMMAND_MS })
  return answer?.code ?? undefined
}
