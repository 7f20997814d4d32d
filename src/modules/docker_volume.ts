import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { volume, type Volume } from '../probes/docker.ts'
import { sh } from '../shell/sh.ts'
import { dockerName, optionWords, settingChanges, settings } from './_docker.ts'
import { changes, defineModule } from './module.ts'

export const docker_volume = defineModule({
  name: 'docker_volume',
  summary: 'Keeps a volume of Docker.',
  examples: [
    '- name: Make room for the database\n  docker_volume:\n    name: couchdb-data\n    labels: { backup: nightly }\n',
  ],
  deviations: [
    'A volume is never made anew, as its data would be lost: one that differs is refused.',
    'Docker itself refuses to remove a volume that a container uses.',
  ],
  params: z
    .strictObject({
      name: dockerName().optional().describe('Name of the volume.'),
      volume_name: dockerName().optional().describe('Same as `name`.'),
      state: z
        .enum(['present', 'absent'])
        .default('present')
        .describe('Whether it should be there; `absent` destroys its data.'),
      driver: z.string().default('local').describe('Driver of the volume.'),
      driver_options: settings().default({}).describe('Options of the driver.'),
      labels: settings().default({}).describe('Labels.'),
    })
    .transform(({ name, volume_name: other, ...given }, context) => {
      const found = name ?? other
      if (found === undefined)
        context.addIssue({ code: 'custom', message: '`name` is missing', path: ['name'] })
      return { ...given, name: found ?? '' }
    }),
  probe: ({ name }) => ({ volume: volume(name) }),
  diff: ({ name, state, driver, driver_options: options, labels }, { volume: found }): readonly Change[] => {
    if (state === 'absent')
      return changes(
        found && { kind: 'state', what: name, before: found.driver, after: 'absent', destroys: true },
      )
    if (!found) return [{ kind: 'state', what: name, before: 'absent', after: driver }]
    const differs = [
      ...(found.driver === driver ? [] : [{ what: `${name}: driver` }]),
      ...settingChanges('option', name, found.options, options),
      ...settingChanges('label', name, found.labels, labels),
    ]
    if (differs.length === 0) return []
    const what = differs.map(one => one.what).join(', ')
    throw new TaskError(
      'VOLUME_DIFFERS',
      `the volume \`${name}\` differs: ${what}`,
      'remove it by hand once its data is safe',
    )
  },
  apply: (_, wish) => [
    {
      do: 'run',
      script:
        wish.state === 'absent'
          ? sh`docker volume rm -- ${wish.name} >/dev/null || exit`
          : sh`docker volume create --driver=${wish.driver} ${optionWords('--opt', wish.driver_options)} ${optionWords('--label', wish.labels)} -- ${wish.name} >/dev/null || exit`,
    },
  ],
  expect: ({ state, driver, driver_options: options, labels }, { volume: found }) => ({
    volume:
      state === 'absent' ? null : (found ?? ({ driver, options, labels, mountpoint: '' } satisfies Volume)),
  }),
  touches: () => [{ kind: 'docker', name: '*' }],
  result: ({ name }, { volume: found }) => ({
    volume: found && { Name: name, Driver: found.driver, Mountpoint: found.mountpoint, Labels: found.labels },
  }),
})
