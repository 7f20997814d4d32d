import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { LiveHost } from '../support/hosts.ts'
import { eventsOf, type Ran } from '../support/msingi.ts'

const text = z.string()

/** What a person does by hand around the playbook `site.yml` that lies beside it. */
const cycleFile = z.strictObject({
  /** Script that leaves the host as the first run shall find it. */
  prepare: text.default('true'),
  /** Script that fails where the host is not as the playbook says. */
  holds: text.refine(
    script => !/^\s*!/m.test(script),
    '`! …` found, which `set -e` lets pass; write `if …; then exit 1; fi`',
  ),
  /** Tasks that nothing can be compared for: they are run each time. */
  uncheckable: z.array(text).default([]),
  /** Scripts that each break one thing, and what `drift` must then say: `task: kind what`. */
  breaks: z
    .array(z.strictObject({ by: text, shows: z.union([text.transform(one => [one]), z.array(text)]) }))
    .min(1),
})

export interface Cycle extends z.output<typeof cycleFile> {
  /** Name of the module. */
  readonly name: string
  readonly playbook: string
}

/** A host on which things are done by hand as well. */
export type Handled = Pick<LiveHost, 'name' | 'run'>

/** Returns the cycles that lie in folders of the place, one for each module. */
export function cycles(place: string): readonly Cycle[] {
  return readdirSync(place)
    .filter(name => existsSync(join(place, name, 'cycle.yml')))
    .map(name => {
      const folder = join(place, name)
      const found = cycleFile.parse(parse(readFileSync(join(folder, 'cycle.yml'), 'utf8')))
      return { ...found, name, playbook: join(folder, 'site.yml') }
    })
}

/** Runs a script of several lines by hand; the first line that fails is an error, which shows how far it came. */
export function byHand(host: Handled, script: string): Promise<string> {
  return host.run(`set -eux\n${script}`)
}

/** Returns what was found or done on the host, as `task: kind what`, sorted. */
export function shown(ran: Ran, host: Handled): readonly string[] {
  return eventsOf(ran, 'task_done')
    .filter(event => event.host === host.name)
    .flatMap(({ task, changes }) => changes.map(({ kind, what }) => `${task}: ${kind} ${what}`))
    .sort()
}

/** Returns the tasks that ended so on the host. */
export function tasksOn(ran: Ran, host: Handled, status: string): readonly string[] {
  return eventsOf(ran, 'task_done')
    .filter(event => event.host === host.name && event.status === status)
    .map(event => event.task)
}

/**
 * Does the work and returns the paths that were written meanwhile: those whose status changed, which no tool can set
 * back. What logging in and the host's own housekeeping write is left out.
 */
export async function writtenDuring(
  hosts: readonly Handled[],
  work: () => Promise<void>,
): Promise<readonly string[]> {
  const began = await Promise.all(hosts.map(host => host.run('date +%s.%N')))
  await work()
  const found = await Promise.all(
    hosts.map((host, index) =>
      host.run(
        `find / /tmp /srv -xdev ${LEFT_OUT} -prune -o ! -path /tmp ! -path /var/tmp -newerct @${(began[index] ?? '').trim()} -print`,
      ),
    ),
  )
  return [...new Set(found.join('').split('\n'))].filter(path => path !== '')
}

/** Programs that only look, such as `docker`, make files in /tmp and remove them; what they leave there counts. runc does whenever a container's health is looked at. */
const LEFT_OUT = `\\( ${['/proc', '/sys', '/run', '/dev', '/var/log', '/var/lib/systemd', '/home/ops/.cache']
  .map(path => `-path ${path}`)
  .join(' -o ')} -o -name 'systemd-private-*' -o -name 'runc-process*' \\)`
