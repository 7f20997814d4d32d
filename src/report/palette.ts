export type Colour = (text: string) => string

/** The few colours that output uses, by meaning. */
export interface Palette {
  readonly good: Colour
  readonly changed: Colour
  readonly bad: Colour
  readonly note: Colour
  readonly strong: Colour
  readonly faint: Colour
}

export const PLAIN_PALETTE: Palette = {
  good: same,
  changed: same,
  bad: same,
  note: same,
  strong: same,
  faint: same,
}

const COLOURED_PALETTE: Palette = {
  good: colour(32, 39),
  changed: colour(33, 39),
  bad: colour(31, 39),
  note: colour(36, 39),
  strong: colour(1, 22),
  faint: colour(2, 22),
}

/** Returns the palette for a stream: coloured on a terminal, unless the environment says otherwise. */
export function paletteFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Palette {
  return wantsColour(stream.isTTY === true, env) ? COLOURED_PALETTE : PLAIN_PALETTE
}

/** `FORCE_COLOR` wins over `NO_COLOR` (https://no-color.org), as in Node; an empty variable counts as unset. */
function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const force = env['FORCE_COLOR']
  if (force) return force !== '0' && force !== 'false'
  if (env['NO_COLOR']) return false
  return isTerminal && env['TERM'] !== 'dumb'
}

function colour(on: number, off: number): Colour {
  return text => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`)
}

function same(text: string): string {
  return text
}
