import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** One rule as ufw writes it down, for one of the two families of addresses. */
export interface UfwRule {
  readonly family: 4 | 6
  /** Such as `allow`, `limit_log` or `route:deny`. */
  readonly action: string
  /** Protocol, port and address it is for, port and address it is from, names of applications, direction with interfaces. */
  readonly core: string
  readonly comment: string
}

export interface Ufw {
  readonly problem: 'none' | 'missing' | 'denied'
  /** Settings of its files, such as `ENABLED` and `DEFAULT_INPUT_POLICY`. */
  readonly settings: Readonly<Record<string, string>>
  readonly rules: readonly UfwRule[]
  /** How many rules the files hold, and how many the kernel has; null where ufw has none loaded. */
  readonly filed: number
  readonly live: number | null
}

/** Asks for the settings and rules of ufw, by its files, and for what of it the kernel has. ufw itself takes a fifth of a second to start. */
export const ufwFamily: Family<null, Ufw> = {
  name: 'ufw',
  key: () => '',
  reads: () => [
    { kind: 'host', name: 'ufw' },
    { kind: 'package', name: 'ufw' },
    { kind: 'tree', name: '/etc/ufw' },
    { kind: 'path', name: '/etc/default/ufw' },
  ],
  absent: ({ problem }) => problem === 'missing',
  script: () => sh`export LC_ALL=C
command -v ufw >/dev/null 2>&1 || { printf 'missing\\n'; exit 0; }
[ -r /etc/ufw/user.rules ] || { printf 'denied\\n'; exit 0; }
printf 'found\\n'
grep -h -E '^(ENABLED|LOGLEVEL|IPV6|DEFAULT_[A-Z]+_POLICY)=' /etc/ufw/ufw.conf /etc/default/ufw
printf 'filed %s\\n' "$(cat /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null | grep -c '^-A ufw6*-user-\\(input\\|output\\|forward\\) ')"
if iptables -n -L ufw-user-input >/dev/null 2>&1; then
printf 'live %s\\n' "$({ iptables -S; ip6tables -S; } 2>/dev/null | grep -c '^-A ufw6*-user-\\(input\\|output\\|forward\\) ')"
fi
sed -n 's/^### tuple ### /4 /p' /etc/ufw/user.rules
[ ! -r /etc/ufw/user6.rules ] || sed -n 's/^### tuple ### /6 /p' /etc/ufw/user6.rules
printf 'end\\n'`,
  parse: (answer: Completed, args) => {
    if (answer.code !== 0) throw brokenOff('sh', answer)
    const [problem = '', ...rows] = endedLines(answer.out)
    const nothing = { settings: {}, rules: [], filed: 0, live: null }
    if (problem === 'missing' || problem === 'denied') return args.map(() => ({ ...nothing, problem }))
    if (problem !== 'found' || rows.pop() !== 'end') throw unreadable('the answer about ufw is not whole')
    const found = parseRows(rows)
    return args.map(() => found)
  },
}

/** Asks for the settings and rules of ufw. */
export const ufwState = probeOf(ufwFamily)(null)

function parseRows(rows: readonly string[]): Ufw {
  const settings: Record<string, string> = {}
  const rules: UfwRule[] = []
  const counts: Record<string, number> = {}
  for (const row of rows) {
    const [, name, value] = /^([A-Z0-9_]+)="?([^"]*)"?$/.exec(row) ?? []
    const [, word, count] = /^(filed|live) (\d+)$/.exec(row) ?? []
    if (name !== undefined && value !== undefined) settings[name] = value
    else if (word !== undefined) counts[word] = Number(count)
    else rules.push(parseRule(row))
  }
  return { problem: 'none', settings, rules, filed: counts['filed'] ?? 0, live: counts['live'] ?? null }
}

/** `4 allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 in comment=7373`. */
function parseRule(row: string): UfwRule {
  const [, family, action, core, comment = ''] =
    /^([46]) (\S+) (\S+(?: \S+){5,7}?)(?: comment=([0-9a-f]*))?$/.exec(row) ?? []
  if (action === undefined || core === undefined)
    throw unreadable(`expected a rule of ufw, found \`${row.slice(0, 120)}\``)
  return {
    family: family === '4' ? 4 : 6,
    action,
    core,
    comment: Buffer.from(comment, 'hex').toString('utf8'),
  }
}
