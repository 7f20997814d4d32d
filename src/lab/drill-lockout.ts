import { setTimeout as sleep } from 'node:timers/promises'
import { sh } from '../shell/sh.ts'
import { defineScenario, type Applied, type Stage } from './drill.ts'
import { LabError } from './error.ts'
import { boot, isRunning } from './machine.ts'
import { restore, snapshot } from './snapshot.ts'
import { greets } from './sshd.ts'

const SNAPSHOT = 'before-lockout'
/** How long nobody drives to the machine: a guard must have put things right by then. */
const PATIENCE_MS = 180_000
const GREETING_MS = 5000
/** A snapshot keeps what is on the disks. */
const SYNC = sh`sync`

/** What a person could write on a bad day, with the guard that is there for it. */
const PLAYBOOKS = {
  port: `- name: A wrong port for sshd
  hosts: all
  become: true
  tasks:
    - name: Let sshd listen on a port that nobody knows
      copy:
        dest: /etc/ssh/sshd_config.d/99-drill.conf
        content: "Port 2222\\n"
      guard: reconnect
    - name: Restart sshd
      systemd: { name: ssh, state: restarted }
      guard: reconnect
`,
  firewall: `- name: A firewall that drops SSH
  hosts: all
  become: true
  tasks:
    - name: Let nobody in
      nftables:
        content: |
          flush ruleset
          table inet filter {
            chain input {
              type filter hook input priority 0; policy drop;
              iif lo accept
            }
          }
      guard: reconnect
`,
  network: `- name: An address of another network
  hosts: all
  become: true
  tasks:
    - name: Move the host to where nobody finds it
      lineinfile:
        path: /etc/systemd/network/10-outer.network
        regexp: '^Address='
        line: Address=10.99.99.99/24
      guard: reconnect
    - name: Restart the network
      systemd: { name: systemd-networkd, state: restarted }
      guard: reconnect
`,
} as const

/** Applies a playbook that locks everybody out, and waits for the host to let us in again. */
export const lockout = defineScenario({
  name: 'lockout',
  summary: 'apply a playbook that locks everybody out; the host must let us in again by itself',
  kinds: ['vm'],
  options: {
    by: {
      value: 'port',
      meaning:
        '`port` for a wrong port of sshd, `firewall` for rules that drop SSH, `network` for a wrong address',
    },
    guard: { value: 'reconnect', meaning: '`none` to see what happens to a change that nothing guards' },
  },
  async prepare(stage) {
    const session = await stage.login()
    await session.exchange([{ script: SYNC }], { deadlineMs: GREETING_MS * 12 })
    await session.close()
    await snapshot(stage.lab, stage.host.name, SNAPSHOT)
    return playbookOf(stage.options)
  },
  async break(stage, playbook) {
    const applied = await stage.apply(playbook)
    // Whoever was refused at the gate has changed nothing: the host would pass without having been tried.
    if (applied.tasks.length > 0) return applied
    throw new LabError('WRONG_STATE', `the playbook did nothing: ${applied.stderr}`)
  },
  async observe(stage, applied) {
    stage.note('exit status of apply', applied.exit)
    stage.note('tasks', applied.tasks)
    const seconds = await secondsUntilIn(stage)
    stage.note('seconds until the host let us in', seconds ?? 'never')
    return { applied, seconds }
  },
  judge: ({ applied, seconds }) => judged(applied, seconds),
  async restore(stage) {
    await restore(stage.lab, stage.host.name, SNAPSHOT)
    if (!isRunning(stage.lab, stage.host.name)) await boot(stage.lab, stage.host.name, stage)
  },
})

function playbookOf({ by = '', guard }: Stage['options']): string {
  const playbook = new Map(Object.entries(PLAYBOOKS)).get(by)
  if (playbook === undefined) {
    const known = Object.keys(PLAYBOOKS).map(name => `\`${name}\``)
    throw new LabError('WRONG_STATE', `\`by\` is \`${by}\`, expected ${known.join(', ')}`)
  }
  // Such changes are guarded without a word, so it takes one to do without.
  return guard === 'none' ? playbook.replaceAll('guard: reconnect', 'guard: none') : playbook
}

function judged(applied: Applied, seconds: number | undefined): { passed: boolean; reason: string } {
  if (seconds === undefined) {
    return { passed: false, reason: `nobody could log in for ${PATIENCE_MS / 1000} s after the change` }
  }
  if (applied.exit === 0) {
    return {
      passed: false,
      reason: 'apply says that all is well, although the change would have locked everybody out',
    }
  }
  return { passed: true, reason: `the change was taken back and reported; logins work after ${seconds} s` }
}

/** A greeting is not a login, and an answer from before the change is no answer: both are asked for anew. */
async function secondsUntilIn(stage: Stage): Promise<number | undefined> {
  const began = performance.now()
  while (performance.now() - began < PATIENCE_MS) {
    stage.signal.throwIfAborted()
    if ((await greets(stage.host, GREETING_MS)) && (await logsIn(stage))) {
      return Math.round((performance.now() - began) / 1000)
    }
    await sleep(1000)
  }
  return undefined
}

async function logsIn(stage: Stage): Promise<boolean> {
  try {
    await (await stage.login()).close()
    return true
  } catch {
    return false
  }
}
