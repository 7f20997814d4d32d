import { z } from 'zod'
import type { Change } from '../base/result.ts'
import type { Probe } from '../probes/probe.ts'
import { unused, type Sort, type Unused } from '../probes/docker.ts'
import { lines, sh } from '../shell/sh.ts'
import { flag } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    containers: flag().default(false).describe('Remove containers that do not run.'),
    images: flag().default(false).describe('Remove images without a name that no container uses.'),
    images_filters: z
      .strictObject({ dangling: flag().default(true).describe('False removes images with names as well.') })
      .optional()
      .describe('Which images.'),
    networks: flag().default(false).describe('Remove networks that no container is in.'),
    volumes: flag()
      .default(false)
      .describe('Remove volumes without a name that no container uses; their data is lost.'),
    volumes_filters: z
      .strictObject({ all: flag().default(false).describe('Remove volumes with names as well.') })
      .optional()
      .describe('Which volumes.'),
  })
  .transform((given, context) => {
    const sorts: Sort[] = []
    if (given.containers) sorts.push('containers')
    if (given.images) sorts.push(given.images_filters?.dangling === false ? 'all-images' : 'images')
    if (given.networks) sorts.push('networks')
    if (given.volumes) sorts.push(given.volumes_filters?.all === true ? 'all-volumes' : 'volumes')
    if (sorts.length === 0)
      context.addIssue({
        code: 'custom',
        message: 'one of `containers`, `images`, `networks`, `volumes` expected',
        path: ['images'],
      })
    return { sorts }
  })

export const docker_prune = defineModule({
  name: 'docker_prune',
  summary: 'Removes what nobody uses from Docker.',
  examples: ['- name: Make room\n  docker_prune:\n    containers: true\n    images: true\n'],
  deviations: [
    'What would go is listed, and only that is removed, thing by thing; what comes out of use meanwhile stays until the next run.',
    'Of the filters only `images_filters.dangling` and `volumes_filters.all` are taken; the cache of builds is left alone.',
  ],
  params,
  probe: ({ sorts }): Readonly<Record<string, Probe<readonly Unused[]>>> =>
    Object.fromEntries(sorts.map(sort => [sort, unused(sort)])),
  diff: ({ sorts }, state): readonly Change[] =>
    sorts.flatMap(sort =>
      (state[sort] ?? []).map(({ kind, shown }) => ({
        kind: 'prune',
        what: `${kind} ${shown}`,
        before: 'unused',
        after: 'absent',
        ...(kind === 'volume' && { destroys: true }),
      })),
    ),
  apply: (_, { sorts }, state) => [
    {
      do: 'run',
      script: lines(
        ...sorts.map(sort => {
          const [first] = state[sort] ?? []
          const ids = (state[sort] ?? []).map(({ id }) => id)
          return first !== undefined && sh`docker ${first.kind} rm ${[...new Set(ids)]} >/dev/null || exit`
        }),
      ),
    },
  ],
  // What was in use by something removed is unused afterwards.
  verifiable: () => false,
  touches: () => [{ kind: 'docker', name: '*' }],
})
