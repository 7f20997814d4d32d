import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { treeRead } from './resources.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface RecordArg {
  /** Name of the record, such as `unarchive/…`. */
  readonly name: string
  /** Folder whose files the record lists with their checksums. */
  readonly below?: string | undefined
}

/** What an earlier run wrote down about its own work. */
export interface Recorded {
  /** Where the record lies: with root's things, else with the user's. */
  readonly path: string
  /** Its first line; null where there is no record. */
  readonly head: string | null
  /** Files that are not any more as the record says; at most 20 are named. */
  readonly wrong: readonly string[]
}

const END = '//'

/** Asks for records, and which of the listed files are not any more as they were: one `sha256sum` a record. */
export const recordFamily: Family<RecordArg, Recorded> = {
  name: 'record',
  key: ({ name, below = '' }) => `${name} ${below}`.trimEnd(),
  reads: ({ name, below }) => [
    ...treeRead(`/var/lib/msingi/${name}`),
    ...(below === undefined ? [] : treeRead(below)),
  ],
  absent: ({ head }) => head === null,
  deadline: 300,
  script: args =>
    lines(
      sh`u=$(id -u) b=/var/lib/msingi; [ "$u" = 0 ] || b=/var/tmp/msingi-$u`,
      ...args.map(({ name, below }) =>
        lines(
          sh`r=$b/${name}; printf '%s\\n' "$r"; if [ -f "$r" ]; then printf +; head -n 1 -- "$r" || exit`,
          below !== undefined &&
            sh`[ ! -d ${below} ] || (cd -- ${below} && tail -n +2 -- "$r" | sha256sum -c 2>/dev/null | grep -v ': OK$' | head -n 20)`,
          sh`fi; echo ${END}`,
        ),
      ),
    ),
  parse: parseRecords,
}

/** Asks what an earlier run wrote down. */
export const record = probeOf(recordFamily)

function parseRecords(answer: Completed, args: readonly RecordArg[]): readonly Recorded[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  const blocks = answer.out.split(`${END}\n`)
  if (blocks.pop() !== '' || blocks.length !== args.length)
    throw unreadable(`expected ${args.length} records, found ${blocks.length}`)
  return blocks.map(block => {
    const [path = '', head, ...rest] = block.split('\n').slice(0, -1)
    if (!path.startsWith('/') || (head !== undefined && !head.startsWith('+')))
      throw unreadable(`expected a record, found \`${block.slice(0, 80)}\``)
    return {
      path,
      head: head?.slice(1) ?? null,
      wrong: rest.map(row => row.replace(/^\\?(.*): FAILED.*$/, '$1')),
    }
  })
}
