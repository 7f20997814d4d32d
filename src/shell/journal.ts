/**
 * What a host remembers of the changes made to it, beyond a restart and beyond the controller that made them. Two files in a private directory:
 *
 * - `owed` holds handlers that were notified and not yet run. A line is written, and synced, before the change that notifies:
 *   `owed RUN CHANGE HOST HANDLER…`; when the change has ended, `made RUN CHANGE` or `void RUN CHANGE`; when a handler has run,
 *   `done RUN CHANGE HANDLER`. The file goes away when nothing is owed.
 * - `journal` holds `begin RUN CHANGE TIME WHAT`, synced, before a command that may not be repeated, and `end RUN CHANGE STATUS` after it.
 *
 * Names are percent-encoded words. A line begins with a newline of its own, so that one which a power cut tore spoils no other.
 */
import { lines, sh, type Sh } from './sh.ts'

/** Returns the directory of the two files. Both outlive a restart of the host. */
export function journalFolder(uid: number): string {
  return uid === 0 ? '/var/lib/msingi' : `/var/tmp/msingi-${uid}/kept`
}

/** A change, by the run it belongs to and its number therein. */
export interface ChangeName {
  readonly run: string
  readonly change: number
}

/** A handler that a change notified. */
export interface Owed extends ChangeName {
  /** The host it is to run on, as the inventory calls it; `-` for the very host that remembers it. */
  readonly host: string
  readonly handler: string
  /** Whether the change is known to have been made; false where nothing tells. */
  readonly isMade: boolean
}

/** The journal is cut down to half of this when a run makes its first entry. */
const JOURNAL_BYTES = 262_144

/** Returns a part that prints the handlers that are owed, for `readOwed`; costs one process, and none where nothing is owed. */
export function owedScript(folder: string): Sh {
  return sh`[ ! -s ${`${folder}/owed`} ] || cat ${`${folder}/owed`}`
}

/** Returns what is owed, oldest first. What a power cut tore is passed over: its change was not begun. */
export function readOwed(text: string): readonly Owed[] {
  const owed = new Map<string, Owed>()
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.split(' ')
    if (word === 'owed') for (const one of readLine(rest)) owed.set(keyOf(one), one)
    else amend(owed, word, rest)
  }
  return [...owed.values()]
}

/** Returns the runs that wrote down what they owe, in any state, torn lines included. */
export function runsIn(text: string): readonly string[] {
  const words = text.split('\n').map(line => line.split(' '))
  return [...new Set(words.flatMap(([word, run]) => (word === 'owed' && run !== undefined ? [run] : [])))]
}

function amend(
  owed: Map<string, Owed>,
  word: string | undefined,
  [run, change, handler]: readonly string[],
): void {
  for (const [key, one] of owed) {
    if (one.run !== run || one.change !== Number(change)) continue
    if (word === 'made') owed.set(key, { ...one, isMade: true })
    if (word === 'void' || (word === 'done' && one.handler === decoded(handler))) owed.delete(key)
  }
}

function readLine([run, change, host, ...handlers]: readonly string[]): readonly Owed[] {
  const [number, name] = [Number(change), decoded(host)]
  if (run === undefined || !Number.isInteger(number) || name === undefined) return []
  return handlers.flatMap(word => {
    const handler = decoded(word)
    return handler === undefined || handler === ''
      ? []
      : [{ run, change: number, host: name, handler, isMade: false }]
  })
}

function keyOf({ run, change, host, handler }: Owed): string {
  return JSON.stringify([run, change, host, handler])
}

function decoded(word: string | undefined): string | undefined {
  try {
    return word === undefined ? undefined : decodeURIComponent(word)
  } catch {
    return undefined
  }
}

/** Returns the line that says what a change notifies. */
export function owedLine({ run, change }: ChangeName, host: string, handlers: readonly string[]): string {
  return ['owed', run, change, ...[host, ...handlers].map(encodeURIComponent)].join(' ')
}

/** Returns the line that says that a handler has run which a change notified. */
export function doneLine({ run, change }: ChangeName, handler: string): string {
  return `done ${run} ${change} ${encodeURIComponent(handler)}`
}

/** Returns the line that says that a command begins. */
export function beginLine({ run, change }: ChangeName, time: string, what: string): string {
  return `begin ${run} ${change} ${encodeURIComponent(time)} ${encodeURIComponent(what)}`
}

/** Returns a part that adds lines to what is owed. */
export function settleScript(folder: string, entries: readonly string[]): Sh {
  const file = `${folder}/owed`
  return sh`[ ! -e ${file} ] || printf '\\n%s\\n' ${entries} >>${file}`
}

/** Returns a part that leaves nothing but the rest in what is owed; nothing is done where another run has written to it. */
export function clearScript(folder: string, runs: readonly string[], rest: readonly Owed[]): Sh {
  const file = `${folder}/owed`
  const kept = rest.flatMap(one => [
    owedLine(one, one.host, [one.handler]),
    ...(one.isMade ? [madeLine(one)] : []),
  ])
  return lines(
    sh`[ -e ${file} ] || exit 0`,
    sh`known() { for r in ${runs}; do [ "$r" != "$1" ] || return 0; done; return 1; }`,
    sh`while read -r w x y; do [ "$w" != owed ] || known "$x" || exit 0; done <${file}`,
    kept.length === 0
      ? sh`rm -f -- ${file}`
      : sh`umask 077; printf '%s\\n' ${kept} >${`${file}.new`} && mv -f -- ${`${file}.new`} ${file}`,
  )
}

function madeLine({ run, change }: ChangeName): string {
  return `made ${run} ${change}`
}

/**
 * Returns shell functions for the script of a change: `note FILE LINE` adds a line, and holds only where it can be read back; `keep FILE…` puts
 * files on the disk; `trim` bounds the journal. `$j` is the directory, made where it is missing.
 */
export function journalFunctions(folder: string): Sh {
  return lines(
    sh`j=${folder}
note() { [ -d "$j" ] || mkdir -p -- "$j"; [ -O "$j" ] || return
printf '\\n%s\\n' "$2" >>"$j/$1"; l=
while read -r x; do [ -z "$x" ] || l=$x; done <"$j/$1"
[ "$l" = "$2" ]; } 2>/dev/null
keep() { sync "$@" 2>/dev/null || sync; }
trim() { [ ! -s "$j/journal" ] || [ $(wc -c <"$j/journal") -lt ${JOURNAL_BYTES} ] || { tail -c ${JOURNAL_BYTES / 2} "$j/journal" >"$j/journal.new" && mv -f "$j/journal.new" "$j/journal"; }; } 2>/dev/null`,
  )
}
