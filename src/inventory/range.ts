import { isIPv6 } from 'node:net'

/** More hosts than that from one line are a mistake. */
const MOST_HOSTS = 65_536

export interface RangeMistake {
  /** Where in the text the wrong range begins. */
  readonly offset: number
  readonly length: number
  readonly message: string
}

export interface HostNames {
  readonly names: readonly string[]
  /** The port of `name:2222`. */
  readonly port: number | undefined
}

/**
 * Returns the names that a host entry stands for: `web[01:20]`, `db[a:c]`, `n[1:9:2]`, several ranges in one name.
 * An IPv6 address, bare or in brackets, is a name.
 */
export function expandHosts(text: string): HostNames | RangeMistake {
  const { name, port } = splitPort(text)
  if (isIPv6(name)) return { names: [name], port }
  let names = ['']
  let at = 0
  for (const found of name.matchAll(/\[([^\]]*)\]/g)) {
    const range = expandRange(found[1] ?? '')
    const place = { offset: found.index, length: found[0].length }
    if (typeof range === 'string') return { ...place, message: range }
    if (names.length * range.length > MOST_HOSTS) {
      return { ...place, message: `more than ${MOST_HOSTS} hosts in one range` }
    }
    const before = name.slice(at, found.index)
    names = names.flatMap(start => range.map(part => start + before + part))
    at = found.index + found[0].length
  }
  return { names: names.map(start => start + name.slice(at)), port }
}

function splitPort(text: string): { name: string; port: number | undefined } {
  const bracketed = /^\[([^[\]]+)\](?::(\d+))?$/.exec(text)
  if (bracketed?.[1] !== undefined && isIPv6(bracketed[1])) {
    return { name: bracketed[1], port: bracketed[2] === undefined ? undefined : Number(bracketed[2]) }
  }
  const named = /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(text)
  return named?.[1] === undefined
    ? { name: text, port: undefined }
    : { name: named[1], port: Number(named[2]) }
}

/** Returns the parts, or what is wrong with the range. */
function expandRange(inner: string): string[] | string {
  const found = /^([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?$/.exec(inner)
  const [, first, last, by = '1'] = found ?? []
  if (first === undefined || last === undefined) {
    return `\`[${inner}]\`, expected a range such as \`[01:20]\` or \`[a:f]\``
  }
  const ends = { first, last, step: Number(by), areNumbers: /^\d/.test(first) }
  return wrongEnds(inner, ends) ?? partsOf(ends)
}

interface Ends {
  readonly first: string
  readonly last: string
  readonly step: number
  readonly areNumbers: boolean
}

function wrongEnds(inner: string, ends: Ends): string | undefined {
  const { first, last, step, areNumbers } = ends
  if (step === 0) return `the step of \`[${inner}]\` is 0, expected at least 1`
  if (areNumbers !== /^\d/.test(last)) return `\`[${inner}]\` runs from a number to a letter`
  const length = (codeOf(last, areNumbers) - codeOf(first, areNumbers)) / step
  if (length < 0) return `\`[${inner}]\` runs backwards, expected the smaller end first`
  if (length > MOST_HOSTS) return `more than ${MOST_HOSTS} hosts in one range`
  if (isPadded(first) && first.length !== last.length) {
    return `the ends of \`[${inner}]\` differ in width, expected as many digits in both`
  }
  return undefined
}

function partsOf({ first, last, step, areNumbers }: Ends): string[] {
  const parts: string[] = []
  const end = codeOf(last, areNumbers)
  for (let value = codeOf(first, areNumbers); value <= end; value += step) {
    if (areNumbers) parts.push(String(value).padStart(isPadded(first) ? first.length : 1, '0'))
    else parts.push(String.fromCharCode(value))
  }
  return parts
}

function codeOf(end: string, isNumber: boolean): number {
  return isNumber ? Number(end) : end.charCodeAt(0)
}

function isPadded(end: string): boolean {
  return end.length > 1 && end.startsWith('0')
}
