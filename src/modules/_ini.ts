import { rowsOf } from './_line-edit.ts'

/** An edit of a file with `[sections]` and `option = value` lines; all else in it stays as it stands. */
export interface IniEdit {
  /** Undefined for the lines before the first section. */
  readonly section: string | undefined
  readonly option: string | undefined
  /** Empty for an option without a value. */
  readonly values: readonly string[]
  readonly state: 'present' | 'absent'
  /** No other lines about the option are left. */
  readonly exclusive: boolean
  readonly noSpaces: boolean
  /** A line that differs in blanks alone is right. */
  readonly ignoreSpaces: boolean
  readonly allowNoValue: boolean
  /** A line that is commented out may become the option's. */
  readonly takesInactive: boolean
}

/** Returns the text after the edit. */
export function withOption(text: string, edit: IniEdit): string {
  const rows = ended(rowsOf(text))
  const place = sectionIn(rows, edit.section)
  if (!place) return edit.state === 'absent' ? text : [...rows, ...newSection(edit)].join('')
  const own = rows.slice(place.first, place.end)
  const after = edit.state === 'absent' ? without(own, edit) : present(own, edit)
  if (after.length === own.length && after.every((row, index) => row === own[index])) return text
  const head = edit.state === 'absent' && edit.option === undefined ? place.header : place.first
  return [...rows.slice(0, head), ...after, ...rows.slice(place.end)].join('')
}

interface Place {
  /** Where the section begins, its header included. */
  readonly header: number
  readonly first: number
  readonly end: number
}

function sectionIn(rows: readonly string[], section: string | undefined): Place | undefined {
  const isHeader = (row: string): boolean => row.startsWith('[')
  const header = section === undefined ? -1 : rows.findIndex(row => sectionOf(row) === section.trim())
  if (section !== undefined && header < 0) return undefined
  const next = rows.findIndex((row, index) => index > header && isHeader(row))
  return { header: Math.max(0, header), first: header + 1, end: next < 0 ? rows.length : next }
}

function sectionOf(row: string): string | undefined {
  return /^\[\s*(.*?)\s*\]/.exec(row)?.[1]
}

function newSection(edit: IniEdit): readonly string[] {
  return [`[${edit.section}]\n`, ...wantedRows(edit)]
}

function wantedRows(edit: IniEdit): readonly string[] {
  const { option, values, allowNoValue } = edit
  if (option === undefined) return []
  if (values.length === 0) return allowNoValue ? [`${option}\n`] : []
  return values.map(value => rowFor(edit, value))
}

function rowFor({ option, noSpaces, allowNoValue }: IniEdit, value: string): string {
  if (value === '' && allowNoValue) return `${option}\n`
  const blank = noSpaces ? '' : ' '
  return `${option}${blank}=${blank}${value}\n`
}

interface Row {
  readonly isActive: boolean
  readonly value: string
}

/** Returns what the line says about the option, or undefined where it is about something else. */
function readRow(row: string, option: string | undefined): Row | undefined {
  const found =
    /^[ \t]*(?<mark>[#;]?)[ \t]*(?<name>[^=\n]*?)[ \t]*(?:=[ \t]*(?<value>[^\r\n]*?)[ \t]*)?\r?\n?$/.exec(row)
  if (!found?.groups || found.groups['name'] !== option) return undefined
  return { isActive: found.groups['mark'] === '', value: found.groups['value'] ?? '' }
}

function without(own: readonly string[], { option, values, exclusive }: IniEdit): readonly string[] {
  if (option === undefined) return []
  return own.filter(row => {
    const found = readRow(row, option)
    return found?.isActive !== true || (!exclusive && !values.includes(found.value))
  })
}

/**
 * Lines that say it already stay; then other lines about the option take the values that are missing, active ones first;
 * what is still missing goes to the end of the section.
 */
function present(own: readonly string[], edit: IniEdit): readonly string[] {
  const { option, values, exclusive, takesInactive } = edit
  if (option === undefined) return own
  const rows: (string | undefined)[] = [...own]
  const missing = values.length === 0 ? [''] : [...new Set(values)]
  const settled = new Set<number>()
  const take = (fits: (row: Row) => boolean, value: (row: Row) => string | undefined): void => {
    for (const [index, row] of own.entries()) {
      const found = settled.has(index) ? undefined : readRow(row, option)
      if (!found || !fits(found)) continue
      const chosen = value(found)
      if (chosen === undefined || !missing.includes(chosen)) continue
      missing.splice(missing.indexOf(chosen), 1)
      settled.add(index)
      rows[index] = edit.ignoreSpaces && found.isActive && found.value === chosen ? row : rowFor(edit, chosen)
    }
  }
  take(
    row => row.isActive,
    row => row.value,
  )
  if (exclusive)
    take(
      row => row.isActive,
      () => missing[0],
    )
  if (takesInactive)
    take(
      row => !row.isActive,
      row => (exclusive ? missing[0] : row.value),
    )
  const kept = rows.filter(
    (row, index) => !exclusive || settled.has(index) || readRow(own[index] ?? '', option)?.isActive !== true,
  ) as string[]
  const end = kept.findLastIndex(row => !/^[ \t]*([#;].*)?\r?\n?$/.test(row)) + 1
  return kept.toSpliced(end, 0, ...missing.map(value => rowFor(edit, value)))
}

function ended(rows: readonly string[]): readonly string[] {
  return rows.map(row => (row.endsWith('\n') ? row : `${row}\n`))
}
