import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** The rules of a namespace, by what they belong to, such as `inet filter input` or `inet filter @blocked`. */
export type Ruleset = Readonly<Record<string, string>>

export interface NftAnswer {
  /** What is loaded; null where we may not look, and `undefined` stands for no `nft` at all. */
  readonly loaded: Ruleset | null
  /** What the rules come to when they are loaded, and when they are loaded on top of themselves. */
  readonly once: Ruleset
  readonly twice: Ruleset
  /** Loading them takes away tables that they do not name. */
  readonly flushes: boolean
  /** Why the rules cannot be loaded, or not be tried out; empty where they can. */
  readonly complaint: string
  readonly problem: 'none' | 'missing' | 'denied' | 'untried' | 'invalid'
}

/** Is there before the rules are loaded: whether it stays tells whether they flush what is not theirs. */
const OTHER = 'msingi_other'

/**
 * Asks what rules come to, and what is loaded. The rules are loaded in a network namespace of their own that goes away with the
 * question, so that both are the kernel's own words. Interfaces that the rules name by their number are stood in for there.
 */
export const nftablesFamily: Family<string, NftAnswer> = {
  name: 'nftables',
  key: ruleset => ruleset,
  reads: () => [
    { kind: 'host', name: 'nftables' },
    { kind: 'tree', name: '/etc/nftables.d' },
    { kind: 'package', name: 'nftables' },
  ],
  absent: ({ problem }) => problem === 'missing',
  deadline: 60,
  script: rulesets => sh`export LC_ALL=C
if ! command -v nft >/dev/null 2>&1; then for r in ${rulesets.map(() => '-')}; do printf 'missing\\n'; done; exit 0; fi
if ! live=$(nft -j list ruleset 2>&1); then for r in ${rulesets.map(() => '-')}; do printf 'denied\\n'; done; exit 0; fi
trial='rules=$(cat); load() { printf "%s\\n" "$rules" | nft -f - 2>&1; }
for i in $1; do for t in dummy bridge veth; do ip link add "$i" type $t 2>/dev/null && break; done; done
nft add table inet ${sh`${OTHER}`} 2>&1 || exit 9
load && nft -j list ruleset && load && nft -j list ruleset'
for r in ${rulesets}; do
if ! unshare -n true 2>/dev/null; then printf 'untried\\n'; continue; fi
out=$(printf '%s\\n' "$r" | unshare -n sh -c "$trial" sh '')
case $? in 0) ;; *) out=$(printf '%s\\n' "$r" | unshare -n sh -c "$trial" sh "$(cd /sys/class/net && printf '%s ' *)") ;; esac
case $? in 0) printf 'tried\\n%s\\n%s\\n' "$live" "$out" ;; 9) printf 'untried\\n' ;; *) printf 'invalid\\n%s\\nend\\n' "$out" ;; esac
done`,
  parse: parseAnswers,
}

/** Asks what the rules come to, and what is loaded. */
export const nftables = probeOf(nftablesFamily)

const NOTHING = { loaded: null, once: {}, twice: {}, flushes: false, complaint: '' }

function parseAnswers(answer: Completed, rulesets: readonly string[]): readonly NftAnswer[] {
  if (answer.code !== 0) throw brokenOff('nft', answer)
  const rows = [...endedLines(answer.out)]
  const found = rulesets.map((): NftAnswer => {
    const word = rows.shift()
    if (word === 'missing' || word === 'denied' || word === 'untried') return { ...NOTHING, problem: word }
    if (word === 'invalid') {
      const end = rows.indexOf('end')
      if (end < 0) throw unreadable('the complaint of nft has no end')
      return {
        ...NOTHING,
        complaint: rows
          .splice(0, end + 1)
          .slice(0, -1)
          .join('\n'),
        problem: 'invalid',
      }
    }
    if (word !== 'tried')
      throw unreadable(`expected an answer of nft, found \`${String(word).slice(0, 80)}\``)
    const [loaded = {}, once = {}, twice = {}] = [0, 1, 2].map(() => readRuleset(rows.shift() ?? ''))
    const { [`inet ${OTHER}`]: other, ...own } = once
    const { [`inet ${OTHER}`]: _, ...again } = twice
    return { loaded, once: own, twice: again, flushes: other === undefined, complaint: '', problem: 'none' }
  })
  if (rows.length > 0) throw unreadable('there is more in the answer than was asked')
  return found
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Returns the rules by what they belong to, without what changes by itself: numbers, counters, what was added to sets with a timeout. */
function readRuleset(row: string): Ruleset {
  const items = (parseJson(row) as { nftables?: unknown }).nftables
  if (!Array.isArray(items)) throw unreadable('nft lists no rules')
  const found: Record<string, string> = {}
  for (const item of items as { readonly [key: string]: Json }[]) {
    for (const [kind, thing] of Object.entries(item)) {
      if (kind === 'metainfo' || !isObject(thing)) continue
      const key = keyOf(kind, thing)
      found[key] = `${found[key] ?? ''}${kind} ${JSON.stringify(settled(thing))}\n`
    }
  }
  return found
}

function parseJson(row: string): object {
  try {
    const value = JSON.parse(row) as unknown
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below.
  }
  throw unreadable(`expected a list of rules in JSON, found \`${row.slice(0, 80)}\``)
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keyOf(kind: string, { family, table, chain, name }: { readonly [key: string]: Json }): string {
  const word = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
  if (kind === 'table') return `${word(family)} ${word(name)}`
  if (kind === 'rule') return `${word(family)} ${word(table)} ${word(chain)}`
  return `${word(family)} ${word(table)} ${kind === 'chain' ? '' : '@'}${word(name)}`
}

/** Members of a set have no order. */
const UNORDERED = ['elem', 'set']
const MOVING = ['handle', 'packets', 'bytes', 'used', 'expires']

function settled(value: Json, key = ''): Json {
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map(item => settled(item))
    return UNORDERED.includes(key)
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items
  }
  if (!isObject(value)) return value
  const { flags } = value
  const isFilledByRules =
    Array.isArray(flags) && ['timeout', 'dynamic'].some(flag => (flags as readonly Json[]).includes(flag))
  const kept: Record<string, Json> = {}
  for (const name of Object.keys(value).sort()) {
    if (MOVING.includes(name) || (name === 'elem' && isFilledByRules)) continue
    kept[name] = settled(value[name] ?? null, name)
  }
  return kept
}
