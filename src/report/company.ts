import type { Story } from './story.ts'

/** With fewer hosts each tells its own story at once. */
const FEWEST_HOSTS = 4
/** How long a story waits for other hosts to tell the same, in milliseconds of the run. */
const PATIENCE = 2000
const MOST_NAMES = 6

interface Waiting {
  readonly story: Story
  readonly hosts: string[]
  readonly since: number
}

/** Holds stories back for a moment, so that what many hosts tell alike is told once. */
export interface Company {
  /** Says which hosts there are to wait for, in the order in which they are named. */
  readonly expect: (hosts: readonly string[]) => void
  /** Takes a story and returns the lines that are due now. */
  readonly take: (story: Story | undefined, now: number) => readonly string[]
  /** Returns the lines of all that still waited. */
  readonly flush: () => readonly string[]
}

/** Makes an empty company. */
export function gather(): Company {
  const waiting = new Map<string, Waiting>()
  let expected: readonly string[] = []

  function due(now: number): readonly string[] {
    const ready = [...waiting].filter(
      ([, { hosts, since }]) => hosts.length >= expected.length || now - since >= PATIENCE,
    )
    for (const [key] of ready) waiting.delete(key)
    return ready.flatMap(([, entry]) => linesOf(entry, expected))
  }

  return {
    expect(hosts) {
      expected = hosts
    },
    take(story, now) {
      if (story && expected.length < FEWEST_HOSTS) return story.lines(story.host)
      const same = story && waiting.get(story.same)
      if (same) same.hosts.push(story.host)
      else if (story) waiting.set(story.same, { story, hosts: [story.host], since: now })
      return due(now)
    },
    flush() {
      const lines = [...waiting.values()].flatMap(entry => linesOf(entry, expected))
      waiting.clear()
      return lines
    },
  }
}

function linesOf({ story, hosts }: Waiting, order: readonly string[]): readonly string[] {
  const told = new Set(hosts)
  return story.lines(namesOf(order.filter(host => told.has(host))))
}

/** Returns the hosts in words: a few by name, more as a count with the first names. */
function namesOf(hosts: readonly string[]): string {
  if (hosts.length === 1) return hosts[0] ?? ''
  if (hosts.length <= MOST_NAMES) return `${hosts.length} hosts (${hosts.join(', ')})`
  return `${hosts.length} hosts (${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more)`
}
