/** Returns whether a name fits a pattern of OpenSSH: `*` is any text, `?` any one character. */
export function matchPattern(pattern: string, name: string): boolean {
  let star = -1
  let resume = 0
  let p = 0
  let n = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** Returns whether a list of patterns fits: at least one does, and none that is negated with `!`. */
export function matchList(list: readonly string[], fits: (pattern: string) => boolean): boolean {
  let found = false
  for (const pattern of list) {
    if (pattern.startsWith('!')) {
      if (fits(pattern.slice(1))) return false
    } else if (fits(pattern)) {
      found = true
    }
  }
  return found
}
