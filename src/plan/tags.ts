/** Which tasks the tags of the command line choose. */
export interface TagChoice {
  readonly only: readonly string[]
  readonly skip: readonly string[]
}

/**
 * Returns whether a task with these tags runs. `always` runs unless it is skipped by name, `never` runs only when
 * one of its tags is asked for; `all`, `tagged` and `untagged` are Ansible's.
 */
export function isChosen(tags: ReadonlySet<string>, choice: TagChoice): boolean {
  if (matches(tags, choice.skip, false)) return false
  const asked = choice.only.filter(tag => tag !== 'all')
  const named = [...tags].some(tag => asked.includes(tag))
  if (tags.has('never')) return named
  if (tags.has('always')) return true
  return asked.length === 0 || named || matches(tags, asked, true)
}

function matches(tags: ReadonlySet<string>, words: readonly string[], isChoice: boolean): boolean {
  const plainTags = [...tags].filter(tag => tag !== 'always' && tag !== 'never')
  return words.some(word => {
    if (word === 'all') return !isChoice && !tags.has('always')
    if (word === 'tagged') return plainTags.length > 0
    if (word === 'untagged') return plainTags.length === 0
    return tags.has(word)
  })
}
