export const MIB = 2 ** 20

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  s: 512,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: MIB,
  gib: 2 ** 30,
  tib: 2 ** 40,
}
const WHOLE = 100

/** Returns whether parted would take it as a place on a disk. */
export function isPosition(text: string): boolean {
  const [, , unit] = piecesOf(text) ?? []
  return unit === '%' || (unit !== undefined && unit in UNITS)
}

/** Returns the byte of a disk of that size that is meant; `50%` is its middle. */
export function positionIn(text: string, size: number): number {
  const [, digits, unit = ''] = piecesOf(text) ?? []
  const value = Number(digits)
  return unit === '%'
    ? Math.floor((size * Math.min(value, WHOLE)) / WHOLE)
    : Math.round(value * (UNITS[unit] ?? 0))
}

function piecesOf(text: string): readonly string[] | null {
  return /^(\d+(?:\.\d+)?)(%|[a-z]+)$/.exec(text.toLowerCase())
}
