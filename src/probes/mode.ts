/** What a symbolic mode needs to know of the thing it is applied to. */
export interface Moded {
  /** Four octal digits. */
  readonly mode: string
  readonly isDirectory: boolean
}

const CLAUSE = /^(?<who>[ugoa]*)(?<steps>([-+=]([rwxXst]*|[ugo]))+)$/
const SHIFT = { u: 6, g: 3, o: 0 } as const
/** Set-user-id, set-group-id, and the sticky bit, which goes with the others. */
const SPECIAL = { u: 0o4000, g: 0o2000, o: 0o1000 } as const
type Who = keyof typeof SHIFT

/**
 * Returns the four octal digits that a mode makes of what is there. A clause that names nobody (`+x`) means everybody,
 * whatever the umask is.
 */
export function resolveMode(wish: string, now: Moded): string {
  if (/^[0-7]+$/.test(wish)) return wish.slice(-4).padStart(4, '0')
  const bits = wish
    .split(',')
    .reduce((before, clause) => applyClause(clause, before, now.isDirectory), Number.parseInt(now.mode, 8))
  return bits.toString(8).padStart(4, '0')
}

/** Returns the mode as `chmod` must be told so that it does just that: five digits clear the set-id bits of a folder as well. */
export function chmodWord(wish: string): string {
  if (/^[0-7]+$/.test(wish)) return wish.slice(-4).padStart(5, '0')
  return wish
    .split(',')
    .map(clause => (/^[ugoa]/.test(clause) ? clause : `a${clause}`))
    .join(',')
}

function applyClause(clause: string, before: number, isDirectory: boolean): number {
  const { who = '', steps = '' } = CLAUSE.exec(clause)?.groups ?? {}
  const whom: Who[] =
    who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...new Set(who)].filter(letter => isWho(letter))
  let bits = before
  for (const [, sign = '', what = ''] of steps.matchAll(/([-+=])([rwxXstugo]*)/g)) {
    const mask = whom.reduce((sum, one) => sum | bitsFor(what, one, bits, isDirectory), 0)
    if (sign === '+') bits |= mask
    else if (sign === '-') bits &= ~mask
    else bits = (bits & ~clearedBy(whom, isDirectory)) | mask
  }
  return bits
}

function isWho(letter: string): letter is Who {
  return letter in SHIFT
}

function bitsFor(what: string, who: Who, bits: number, isDirectory: boolean): number {
  if (isWho(what)) return ((bits >> SHIFT[what]) & 7) << SHIFT[who]
  let triple = 0
  let special = 0
  for (const letter of what) {
    if (letter === 'r') triple |= 4
    if (letter === 'w') triple |= 2
    if (letter === 'x' || (letter === 'X' && (isDirectory || (bits & 0o111) !== 0))) triple |= 1
    if (letter === 's' && who !== 'o') special |= SPECIAL[who]
    if (letter === 't' && who === 'o') special |= 0o1000
  }
  return (triple << SHIFT[who]) | special
}

/** `=` clears the special bits too, but a folder keeps its set-id bits, as `chmod` has it. */
function clearedBy(whom: readonly Who[], isDirectory: boolean): number {
  return whom.reduce((sum, who) => {
    const special = isDirectory && who !== 'o' ? 0 : SPECIAL[who]
    return sum | (7 << SHIFT[who]) | special
  }, 0)
}
