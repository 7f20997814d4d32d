import { lines, sh, type Sh } from '../shell/sh.ts'
import { journalFolder, owedScript, readOwed, runsIn, type Owed } from '../shell/journal.ts'

/** What a host says of itself along with the first frame of a shell: which life it is in, and what it owes. */
export interface Recalled {
  /** Undefined where it cannot be told. */
  readonly life: string | undefined
  readonly owed: readonly Owed[]
  /** Runs that wrote down what they owe, settled or not. */
  readonly runs: readonly string[]
}

/**
 * Prints a name for the host's present life. The kernel's identifier and the start of the first process tell it, so that a container counts as
 * well; without them it ends with another status than 0.
 */
export const LIFE = sh`IFS= read -r id </proc/sys/kernel/random/boot_id && IFS= read -r s </proc/1/stat || exit
set -- \${s##*) }
printf '%s %s\\n' "$id" "\${20}"`

/** Returns a name for the host's present life, or undefined where it cannot be told. */
export function readLife(code: number, out: string): string | undefined {
  return code === 0 && /^[0-9a-f-]{36} \d+\n$/.test(out) ? out.trim() : undefined
}

/** Returns the part for a shell's first frame. */
export function recallScript(uid: number): Sh {
  return lines(sh`( ${LIFE}`, sh`) || echo`, owedScript(journalFolder(uid)))
}

export function readRecalled(out: string): Recalled {
  const end = out.indexOf('\n') + 1
  const text = out.slice(end)
  return { life: readLife(0, out.slice(0, end)), owed: readOwed(text), runs: runsIn(text) }
}
