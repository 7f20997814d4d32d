import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { nftables as nftOf, type NftAnswer, type Ruleset } from '../probes/nftables.ts'
import type { Probe } from '../probes/probe.ts'
import { sh } from '../shell/sh.ts'
import {
  contentActions,
  contentAfter,
  contentDiff,
  contentQuestions,
  contentTouches,
  type ContentQuestions,
  type FileWish,
} from './_content.ts'
import { complain, flag, ownership, path, text } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    src: text()
      .optional()
      .describe('Template of the project with the whole ruleset, looked for in `templates/`.'),
    content: text().optional().describe('The whole ruleset as text.'),
    dest: path()
      .default('/etc/nftables.conf')
      .describe('File that the service `nftables` loads when the host starts.'),
    ...ownership,
    load: flag().default(true).describe('Load the rules now as well, where what is loaded differs.'),
    flush_others: flag()
      .default(false)
      .describe('Load rules that take away the tables of Docker and its like.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
  })
  .transform(({ src, content, ...given }, context) => {
    if ((src === undefined) === (content === undefined))
      complain(context, 'src', 'either `src` or `content` expected', 'MISSING_PARAM')
    const rules = src ?? content ?? ''
    return { ...given, rules: rules.endsWith('\n') ? rules : `${rules}\n` }
  })
type Params = z.output<typeof params>
type Questions = ContentQuestions & { readonly nft: Probe<NftAnswer> }

export const nftables = defineModule({
  name: 'nftables',
  summary: 'Keeps the rules of the packet filter, in their file and in the running kernel.',
  examples: [
    '- name: Let in what is served, and nothing else\n  nftables:\n    src: nftables.conf.hbs\n  guard: reconnect\n',
    '- name: Keep strangers out of the containers\n  nftables:\n    dest: /etc/nftables.d/containers.conf\n    content: |\n      table inet containers\n      delete table inet containers\n      table inet containers {\n        chain forward {\n          type filter hook forward priority -10; policy accept;\n          iifname "eth0" ct state new ip daddr 172.16.0.0/12 ct original proto-dst != { 80, 443 } drop\n        }\n      }\n',
  ],
  deviations: [
    'Ansible has no such module.',
    'The rules are tried out before anything is written: they are loaded in a network namespace of their own, where nothing listens. What the kernel lists there is compared with what it lists for the host, table by table; counters, and what rules added to sets, are left out. Tables that the rules do not name are not looked at.',
    'Rules that come to something else when they are loaded twice are refused. Begin with `flush ruleset`, or with `table inet NAME` and `delete table inet NAME` for each table.',
    'Docker forwards packets to published ports before a chain of the hook `input` sees them: what is to be kept out of containers belongs into a chain of the hook `forward` with a priority below 0, or into Docker’s own chain `DOCKER-USER`. Match the port that the packet was sent to with `ct original proto-dst`, as Docker has changed the other one by then.',
    '`flush ruleset` takes away Docker’s rules too, and its containers are cut off until Docker is restarted. Where tables of Docker, Kubernetes, libvirt, Podman, fail2ban or ufw are loaded, such rules are refused; `flush_others: true` loads them all the same.',
    'Set `guard: reconnect`, so that rules that lock you out are taken back. The service is enabled with `systemd: {name: nftables, enabled: true}`.',
  ],
  inputs: { src: 'template' },
  params,
  probe: (wish, host): Questions => ({
    ...contentQuestions(wish.dest, wish.rules, host),
    nft: nftOf(wish.rules),
  }),
  diff: (wish, state): readonly Change[] => {
    requireLoadable(wish, state.nft)
    const file = contentDiff(fileOf(wish), state)
    const live = wish.load ? rulesChanges(state.nft) : []
    if (live.length > 0) requireOthers(wish, state.nft)
    return [...file, ...live]
  },
  apply: (found, wish, state) => {
    const file = found.filter(({ kind }) => kind !== 'rules')
    const load = sh`nft -f ${wish.dest}`
    return [
      ...contentActions(file, fileOf(wish), state),
      ...(found.length > file.length ? [{ do: 'run', script: load } as const] : []),
    ]
  },
  expect: (wish, state) => ({
    ...state,
    ...contentAfter(fileOf(wish), state),
    nft: wish.load ? loadedAfter(state.nft) : state.nft,
  }),
  touches: (found, { dest }) => [
    ...contentTouches(
      found.filter(({ kind }) => kind !== 'rules'),
      [dest],
    ),
    { kind: 'host', name: 'nftables' },
  ],
  result: ({ dest, load }, { nft }) => ({ dest, load, tables: tablesIn(nft.once) }),
})

function fileOf({ dest, rules, backup, mode, owner, group }: Params): FileWish {
  return { path: dest, content: rules, backup, mode, owner, group, force: true, follow: true }
}

function requireLoadable({ dest }: Params, { problem, complaint, once, twice }: NftAnswer): void {
  if (problem === 'missing')
    throw new TaskError('NFT_MISSING', '`nft` is missing on the host', 'install the package `nftables` first')
  if (problem === 'denied')
    throw new TaskError(
      'PROBE_UNREADABLE',
      'the rules that are loaded may not be read',
      'run the task with `become: true`',
    )
  if (problem === 'untried') {
    throw new TaskError(
      'NFT_UNTRIED',
      'the rules cannot be tried out: the host allows no network namespace',
      'run the task as root of the host itself',
    )
  }
  if (problem === 'invalid')
    throw new TaskError('NFT_INVALID', `the rules for \`${dest}\` cannot be loaded: ${complaint}`)
  if (Object.keys({ ...once, ...twice }).some(key => once[key] !== twice[key])) {
    throw new TaskError(
      'NFT_NOT_REPEATABLE',
      `the rules for \`${dest}\` come to something else when they are loaded twice`,
      'begin with `flush ruleset`, or with `table inet NAME` and `delete table inet NAME` for each table',
    )
  }
}

/** What belongs to tables of ours; nothing else is looked at. */
function rulesChanges({ loaded, once }: NftAnswer): readonly Change[] {
  const tables = tablesIn(once)
  const own = Object.keys({ ...loaded, ...once }).filter(key => tables.includes(tableOf(key)))
  return own
    .filter(key => loaded?.[key] !== once[key])
    .map(what => ({
      kind: 'rules',
      what,
      before: loaded?.[what] === undefined ? 'absent' : 'other rules',
      after: once[what] === undefined ? 'absent' : 'loaded',
    }))
}

const SOMEBODYS = /\b(docker|kube-|cni-|f2b-|fail2ban|libvirt|netavark|ufw6?-)/i

/** Loading must not cut off what another program keeps. */
function requireOthers({ flush_others: allows }: Params, { loaded, once, flushes }: NftAnswer): void {
  if (!flushes || allows) return
  const others = Object.keys(loaded ?? {}).filter(
    key => !(key in once) && SOMEBODYS.test(key.replaceAll('_', '-')),
  )
  const tables = [...new Set(others.map(tableOf))]
  if (tables.length === 0) return
  throw new TaskError(
    'NFT_FLUSHES_OTHERS',
    `\`flush ruleset\` would take away rules that another program keeps in ${tables.map(table => `\`${table}\``).join(', ')}`,
    'replace `flush ruleset` by `table inet NAME` and `delete table inet NAME` for each table, or set `flush_others: true`',
  )
}

function loadedAfter(nft: NftAnswer): NftAnswer {
  const tables = tablesIn(nft.once)
  const others = Object.entries(nft.loaded ?? {}).filter(([key]) => !tables.includes(tableOf(key)))
  return { ...nft, loaded: { ...(nft.flushes ? {} : Object.fromEntries(others)), ...nft.once } }
}

function tablesIn(rules: Ruleset): readonly string[] {
  return [...new Set(Object.keys(rules).map(tableOf))]
}

function tableOf(key: string): string {
  return key.split(' ').slice(0, 2).join(' ')
}
