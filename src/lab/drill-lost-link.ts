import { setTimeout as sleep } from 'node:timers/promises'
import { sh } from '../shell/sh.ts'
import { defineScenario, type Applied } from './drill.ts'
import { LabError } from './error.ts'
import { setLink } from './machine.ts'

const FOLDER = '/var/lib/msingi-drill-link'
const SLOW = 'Work that takes a while'
const COMMAND_MS = 60_000

const PLAYBOOK = `- name: A change that takes longer than the link lasts
  hosts: all
  become: true
  tasks:
    - name: ${SLOW}
      shell: echo begun; sleep 20; echo done >> ${FOLDER}/work
      notify: Tell of it
    - name: What comes after
      copy: { dest: ${FOLDER}/after, content: "after\\n" }
  handlers:
    - name: Tell of it
      shell: echo told >> ${FOLDER}/told
`

interface Found {
  readonly applied: Applied
  readonly work: number
  readonly told: number
  readonly after: number
}

/** Pulls the cable in the middle of a change, and plugs it in again. */
export const lostLink = defineScenario({
  name: 'lost-link',
  summary: 'pull the network cable in mid-change; apply must come back and finish, everything once',
  kinds: ['vm'],
  options: {
    seconds: { value: '40', meaning: 'how long the cable is out; the change takes 20' },
  },
  async prepare(stage) {
    const session = await stage.login()
    await session.exchange([{ script: sh`rm -rf ${FOLDER} && mkdir -p ${FOLDER}` }], {
      deadlineMs: COMMAND_MS,
    })
    await session.close()
    const seconds = Number(stage.options['seconds'])
    if (seconds > 0 && seconds <= 600) return seconds
    throw new LabError('WRONG_STATE', '`seconds` expected to be a number from 1 to 600')
  },
  async break(stage, seconds) {
    let isDown = false
    const pull = async (): Promise<void> => {
      await setLink(stage.lab, stage.host.name, false)
      isDown = true
      stage.note('cable out', true)
      await sleep(seconds * 1000)
      await setLink(stage.lab, stage.host.name, true)
      stage.note('cable in', true)
    }
    let pulling: Promise<void> | undefined
    // Not before the change has begun on the host: a link that dies during the login is another matter.
    const applied = await stage.apply(PLAYBOOK, task => {
      if (task === SLOW) pulling ??= pull()
    })
    await pulling
    if (!isDown) throw new LabError('WRONG_STATE', `\`${SLOW}\` never began: ${applied.stderr}`)
    return applied
  },
  async observe(stage, applied): Promise<Found> {
    stage.note('exit status of apply', applied.exit)
    stage.note('tasks', applied.tasks)
    const session = await stage.login()
    const count = sh`for name in work told after; do cat ${FOLDER}/$name 2>/dev/null | wc -l; done`
    const [answer] = await session.exchange([{ script: count }], { deadlineMs: COMMAND_MS })
    const [work = 0, told = 0, after = 0] = (answer?.out ?? '').split('\n').map(Number)
    stage.note('times the change, its handler and the next task were done', `${work} ${told} ${after}`)
    return { applied, work, told, after }
  },
  judge({ applied, work, told, after }) {
    const isOnce = work === 1 && told === 1 && after === 1
    const counts = `change ${work}×, handler ${told}×, next task ${after}×`
    return {
      passed: applied.exit === 0 && isOnce,
      reason: `apply ended with ${applied.exit} over a link that died in mid-change: ${counts}`,
    }
  },
  async restore(stage) {
    await setLink(stage.lab, stage.host.name, true)
  },
})
