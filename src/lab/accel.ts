import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LabError } from './error.ts'
import { tryProgram } from './program.ts'

/** How a machine's instructions are carried out: by the processor, or by a program. */
export type Accel = 'kvm' | 'tcg'

/** The words that choose how, and the processor that goes with it. */
export const ACCELERATION: Readonly<Record<Accel, readonly string[]>> = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  // An old processor: the wider instructions of newer ones are emulated slowly, and in some versions wrongly.
  tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'Westmere,vmx=off'],
}

/**
 * What the kernel of a machine is told. Where a program carries out the instructions, the kernel's guards against leaky
 * processors guard nothing, and each system call empties the program's table of pages twice.
 */
export const KERNEL_WORDS: Readonly<Record<Accel, string>> = { kvm: '', tcg: ' mitigations=off' }

/**
 * Processors of a machine of which nobody says how many. Emulated ones wait for each other: with two, the kernel's own upkeep
 * (`rcu_preempt`) took a quarter of the time.
 */
export const USUAL_CPUS: Readonly<Record<Accel, number>> = { kvm: 2, tcg: 1 }

/** A machine under KVM runs the sector below in well under a second. */
const DEADLINE_MS = 8000
/** What QEMU ends with when 0x10 is written to its exit device. */
const SAID_HELLO = 33

/**
 * A boot sector that writes 0x10 to port 0xf4: `mov dx, 0xf4; mov al, 0x10; out dx, al; hlt`. Opening /dev/kvm proves
 * nothing: on some machines it opens, and the first instruction never returns.
 */
const SECTOR = Buffer.concat([
  Buffer.from([0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xf4]),
  Buffer.alloc(510 - 7),
  Buffer.from([0x55, 0xaa]),
])

/** Returns what machines can run on here; the answer is kept until the next boot of the controller. */
export async function findAccel(cache: string): Promise<Accel> {
  if (!existsSync('/dev/kvm')) return 'tcg'
  const file = join(cache, 'accel.json')
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const kept = readKept(file)
  if (kept?.boot === boot) return kept.accel
  const accel = (await runsOnKvm()) ? 'kvm' : 'tcg'
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify({ boot, accel }))
  return accel
}

async function runsOnKvm(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-kvm-'))
  const disk = join(folder, 'sector')
  writeFileSync(disk, SECTOR)
  // The processor is the one that machines get: another may run where that one does not.
  const words = ['qemu-system-x86_64', '-machine', 'q35', ...ACCELERATION.kvm, '-smp', '2', '-m', '64M']
  const drive = [`file=${disk}`, 'format=raw', 'if=ide', 'snapshot=on'].join(',')
  try {
    const exit = [
      '-nodefaults',
      '-display',
      'none',
      '-device',
      'isa-debug-exit,iobase=0xf4,iosize=0x04',
      '-drive',
      drive,
    ]
    const { code } = await tryProgram([...words, ...exit], { deadlineMs: DEADLINE_MS })
    return code === SAID_HELLO
  } catch (error) {
    if (error instanceof LabError && error.code === 'TOO_SLOW') return false
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readKept(file: string): { readonly boot: string; readonly accel: Accel } | undefined {
  if (!existsSync(file)) return undefined
  const { boot, accel } = JSON.parse(readFileSync(file, 'utf8')) as { boot?: unknown; accel?: unknown }
  const isKnown = typeof boot === 'string' && (accel === 'kvm' || accel === 'tcg')
  return isKnown ? { boot, accel } : undefined
}
