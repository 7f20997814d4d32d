import { matchList, matchPattern } from './host-pattern.ts'

/** One file of ssh configuration. */
export interface ConfigFile {
  readonly file: string
  readonly text: string
}

/** Returns the files that an `Include` argument in a file names, in lexical order; none where nothing matches. */
export type ReadIncluded = (pattern: string, from: string) => readonly ConfigFile[]

/** What ssh configuration says of one host; undefined where it says nothing. Tokens and `~` are not yet expanded. */
export interface HostConfig {
  readonly hostName: string | undefined
  readonly user: string | undefined
  readonly port: string | undefined
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean | undefined
  readonly identityAgent: string | undefined
  readonly proxyJump: string | undefined
  readonly proxyCommand: string | undefined
  readonly hostKeyAlias: string | undefined
  readonly userKnownHostsFiles: readonly string[] | undefined
  readonly globalKnownHostsFiles: readonly string[] | undefined
  readonly connectTimeout: string | undefined
  readonly serverAliveInterval: string | undefined
  readonly serverAliveCountMax: string | undefined
  readonly compression: boolean | undefined
}

/** A whole configuration, ready to be asked. */
export interface SshConfig {
  readonly lines: readonly Line[]
  /** Blocks that were left out, because what they ask for is not known here. */
  readonly warnings: readonly string[]
}

interface Line {
  readonly keyword: string
  readonly args: readonly string[]
  /** Conditions of all blocks around it; an included file stands inside the block that includes it. */
  readonly when: readonly Condition[]
}

type Condition =
  | { readonly kind: 'host'; readonly patterns: readonly string[] }
  | { readonly kind: 'match'; readonly tests: readonly MatchTest[] }
  | { readonly kind: 'never' }

interface MatchTest {
  readonly on: 'host' | 'originalhost' | 'user' | 'localuser'
  readonly patterns: readonly string[]
  readonly negated: boolean
}

/** Who asks; what `Match` blocks look at. */
export interface Asker {
  readonly user: string | undefined
  readonly localUser: string
}

const DEEPEST_INCLUDE = 16

/** Reads configuration text. Files that come first win, so the user's own stands before the system's. */
export function parseSshConfig(files: readonly ConfigFile[], included: ReadIncluded): SshConfig {
  const lines: Line[] = []
  const warnings: string[] = []

  function read({ file, text }: ConfigFile, outer: readonly Condition[], depth: number): void {
    let when = outer
    text.split('\n').forEach((raw, index) => {
      const words = splitLine(raw)
      const keyword = words[0]?.toLowerCase()
      if (keyword === undefined) return
      const args = words.slice(1)
      if (keyword === 'host') when = [...outer, { kind: 'host', patterns: args }]
      else if (keyword === 'match') when = [...outer, parseMatch(args, `${file}:${index + 1}`, warnings)]
      else if (keyword === 'include' && depth < DEEPEST_INCLUDE) {
        for (const one of args.flatMap(arg => included(arg, file))) read(one, when, depth + 1)
      } else lines.push({ keyword, args, when })
    })
  }

  for (const file of files) read(file, [], 0)
  return { lines, warnings }
}

/** Splits `Keyword value`, `Keyword=value` and quoted values; a word that begins with `#` starts a comment. */
function splitLine(raw: string): readonly string[] {
  const text = raw.trim()
  if (text === '' || text.startsWith('#')) return []
  const head = /^([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(text)
  if (head?.[1] === undefined || head[2] === undefined) return []
  // A command is not words: it goes to a shell as it stands.
  if (head[1].toLowerCase() === 'proxycommand') return [head[1], head[2]]
  const words: string[] = []
  for (const [, quoted, plain] of head[2].matchAll(/"([^"]*)"|(\S+)/g)) {
    if (plain?.startsWith('#') === true) break
    words.push(quoted ?? plain ?? '')
  }
  return [head[1], ...words]
}

function parseMatch(args: readonly string[], place: string, warnings: string[]): Condition {
  const tests: MatchTest[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at]?.toLowerCase() ?? ''
    const negated = word.startsWith('!')
    const on = negated ? word.slice(1) : word
    if (on === 'all' && !negated) continue
    if (on !== 'host' && on !== 'originalhost' && on !== 'user' && on !== 'localuser') {
      warnings.push(`${place}: \`Match ${word}\` is not understood; the block is left out`)
      return { kind: 'never' }
    }
    at++
    tests.push({ on, patterns: (args[at] ?? '').split(','), negated })
  }
  return { kind: 'match', tests }
}

/** Returns what the configuration says of a host, as it is called on the command line; the first value of each setting wins. */
export function lookUp(config: SshConfig, alias: string, asker: Asker): HostConfig {
  const first = new Map<string, readonly string[]>()
  const identityFiles: string[] = []
  for (const { keyword, args, when } of config.lines) {
    if (!when.every(condition => holds(condition, alias, first, asker))) continue
    if (keyword === 'identityfile') identityFiles.push(...args.slice(0, 1))
    if (!first.has(keyword)) first.set(keyword, args)
  }
  const one = (keyword: string): string | undefined => first.get(keyword)?.[0]
  const yes = (keyword: string): boolean | undefined => yesNo(one(keyword))
  return {
    hostName: one('hostname'),
    user: one('user'),
    port: one('port'),
    identityFiles,
    identitiesOnly: yes('identitiesonly'),
    identityAgent: one('identityagent'),
    ...proxyOf(first),
    hostKeyAlias: one('hostkeyalias'),
    userKnownHostsFiles: first.get('userknownhostsfile'),
    globalKnownHostsFiles: first.get('globalknownhostsfile'),
    connectTimeout: one('connecttimeout'),
    serverAliveInterval: one('serveraliveinterval'),
    serverAliveCountMax: one('serveralivecountmax'),
    compression: yes('compression'),
  }
}

/** Of ProxyJump and ProxyCommand only the one that stands first counts; `none` ends the search. */
function proxyOf(
  first: ReadonlyMap<string, readonly string[]>,
): Pick<HostConfig, 'proxyJump' | 'proxyCommand'> {
  const keyword = [...first.keys()].find(word => word === 'proxyjump' || word === 'proxycommand')
  const value = keyword === undefined ? undefined : first.get(keyword)?.[0]
  const chosen = value?.toLowerCase() === 'none' ? undefined : value
  return {
    proxyJump: keyword === 'proxyjump' ? chosen : undefined,
    proxyCommand: keyword === 'proxycommand' ? chosen : undefined,
  }
}

function yesNo(word: string | undefined): boolean | undefined {
  if (word === undefined) return undefined
  return ['yes', 'true'].includes(word.toLowerCase())
}

function holds(
  condition: Condition,
  alias: string,
  first: ReadonlyMap<string, readonly string[]>,
  asker: Asker,
): boolean {
  if (condition.kind === 'never') return false
  if (condition.kind === 'host') {
    return matchList(condition.patterns, pattern => matchPattern(pattern.toLowerCase(), alias.toLowerCase()))
  }
  const subjects: Record<MatchTest['on'], string> = {
    host: first.get('hostname')?.[0]?.replaceAll('%h', alias) ?? alias,
    originalhost: alias,
    user: asker.user ?? first.get('user')?.[0] ?? asker.localUser,
    localuser: asker.localUser,
  }
  return condition.tests.every(
    test => matchList(test.patterns, pattern => matchPattern(pattern, subjects[test.on])) !== test.negated,
  )
}

/** What the percent tokens of a value stand for. */
export interface Tokens {
  readonly alias: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly localUser: string
  readonly home: string
}

/** Returns the value with `%h %n %p %r %u %d %%`, a leading `~` and `${NAME}` filled in. Unknown tokens stay as they are. */
export function expand(value: string, tokens: Tokens, env: NodeJS.ProcessEnv): string {
  const letters: Readonly<Record<string, string>> = {
    '%': '%',
    h: tokens.host,
    n: tokens.alias,
    p: String(tokens.port),
    r: tokens.user,
    u: tokens.localUser,
    d: tokens.home,
  }
  return expandHome(value, tokens.home)
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole)
    .replace(/%(.)/g, (whole, letter: string) => letters[letter] ?? whole)
}

/** Returns the path with a leading `~/` filled in. */
export function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? home + path.slice(1) : path
}
