import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { compose, type Compose } from '../probes/compose.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { asWished, presentChanges, stoppedChanges } from './_compose.ts'
import { waitUntilUp } from './_compose-wait.ts'
import { dockerName } from './_docker.ts'
import { flag, path, words } from './_params.ts'
import { changes, defineModule } from './module.ts'

const params = z
  .strictObject({
    project_src: path().describe('Folder on the host that holds the project.'),
    project_name: dockerName()
      .optional()
      .describe('Name of the project; that of the folder or of its file where not given.'),
    files: words()
      .default([])
      .describe('Files of the project, within the folder; those compose looks for where not given.'),
    env_files: words().default([]).describe('Files with variables, within the folder.'),
    profiles: words().default([]).describe('Profiles to bring up as well.'),
    services: z.array(dockerName()).default([]).describe('Services to look at; all where not given.'),
    state: z
      .enum(['present', 'stopped', 'absent', 'restarted'])
      .default('present')
      .describe('How the services should be.'),
    pull: z
      .enum(['policy', 'missing', 'never', 'always'])
      .default('policy')
      .describe('When images are pulled; `always` before each run.'),
    build: z.enum(['policy', 'always', 'never']).default('policy').describe('Whether images are built.'),
    recreate: z
      .enum(['auto', 'never', 'always'])
      .default('auto')
      .describe('Whether containers that differ are made anew; `always`: all of them, each time.'),
    remove_orphans: flag()
      .default(false)
      .describe('Remove containers of services that the project has no more.'),
    remove_volumes: flag().default(false).describe('With `absent`, remove its volumes; their data is lost.'),
    dependencies: flag().default(true).describe('Bring up what the services depend on as well.'),
    wait: flag().default(false).describe('Services with a check must be healthy.'),
    wait_timeout: z.coerce.number().int().min(1).default(300).describe('Seconds to wait until they are.'),
    timeout: z.coerce.number().int().min(1).optional().describe('Seconds that containers have to stop.'),
  })
  .transform(given => {
    const each = (option: string, list: readonly string[]): readonly string[] =>
      list.flatMap(one => [option, one])
    const options = [
      ...(given.project_name === undefined ? [] : ['--project-name', given.project_name]),
      ...each('--file', given.files),
      ...each('--env-file', given.env_files),
      ...each('--profile', given.profiles),
    ]
    return { ...given, options, removeOrphans: given.remove_orphans }
  })
type Params = z.output<typeof params>

export const docker_compose = defineModule({
  name: 'docker_compose',
  summary: 'Keeps the services of a project of Docker Compose.',
  aliases: ['docker_compose_v2'],
  examples: [
    '- name: Run the application\n  docker_compose:\n    project_src: /srv/app\n    remove_orphans: true\n    wait: true\n',
  ],
  deviations: [
    "What differs is found by comparing the hash of each service's configuration, the image it runs and the state of its containers; each service says why. What compose prints is not read.",
    'A service that ended with 0 and has no policy for being started again has done its work.',
    'The folder must be on the host; `definition` is not taken. Secrets of the project stay in its files.',
    'With `pull: always`, `build: always` and `recreate: always` nothing can be compared: it is done in each run.',
  ],
  params,
  probe: ({ project_src: folder, options }) => ({ project: compose({ folder, options }) }),
  diff: (wish, { project }): readonly Change[] => {
    const { project_src: folder, state } = wish
    if (!project && state === 'absent') return []
    if (!project)
      throw new TaskError(
        'PROJECT_MISSING',
        `there is no project at \`${folder}\`, or no Docker`,
        'bring its files to the host first',
      )
    const stray = wish.services.find(name => !project.services.some(service => service.name === name))
    if (stray !== undefined)
      throw new TaskError('SERVICE_UNKNOWN', `the project \`${project.project}\` has no service \`${stray}\``)
    if (state === 'stopped') return stoppedChanges(project, wish)
    if (state === 'absent') return absentChanges(project, wish)
    if (state === 'restarted')
      return [
        ...presentChanges(project, wish),
        { kind: 'restart', what: project.project, before: null, after: 'restarted' },
      ]
    return [...presentChanges(project, wish), ...alwaysChanges(project, wish)]
  },
  apply: (found, wish) => [
    { do: 'run', script: lines(sh`cd -- ${wish.project_src} || exit`, ...commands(found, wish)) },
  ],
  expect: (wish, { project }) => ({ project: project && after(project, wish) }),
  touches: () => [
    { kind: 'docker', name: '*' },
    { kind: 'process', name: '*' },
  ],
  verifiable: (_, found) =>
    found.some(({ kind }) => !['pull', 'build', 'recreate', 'restart'].includes(kind)),
  result: (_, { project }) => ({
    project: project?.project,
    containers: (project?.containers ?? []).map(({ name, service, status, health }) => ({
      Name: name,
      Service: service,
      State: status,
      Health: health,
    })),
  }),
})

function absentChanges(
  { project, containers }: Compose,
  { remove_volumes: volumes }: Params,
): readonly Change[] {
  return changes(
    containers.length > 0 && {
      kind: 'containers',
      what: project,
      before: containers.map(({ name }) => name),
      after: 'absent',
      ...(volumes && { destroys: true }),
    },
  )
}

function alwaysChanges({ project }: Compose, { pull, build, recreate }: Params): readonly Change[] {
  return changes(
    pull === 'always' && { kind: 'pull', what: project, before: null, after: 'images of the registry' },
    build === 'always' && { kind: 'build', what: project, before: null, after: 'images built anew' },
    recreate === 'always' && { kind: 'recreate', what: project, before: null, after: 'containers made anew' },
  )
}

function commands(found: readonly Change[], wish: Params): readonly (Sh | false)[] {
  const { options, services, state, timeout } = wish
  const stop = timeout === undefined ? [] : [`--timeout=${timeout}`]
  if (state === 'stopped') return [sh`docker compose ${options} stop ${stop} ${services} || exit`]
  if (state === 'absent') {
    const more = [
      ...(wish.remove_orphans ? ['--remove-orphans'] : []),
      ...(wish.remove_volumes ? ['--volumes'] : []),
    ]
    return [sh`docker compose ${options} down ${stop} ${more} || exit`]
  }
  const isUp = found.some(({ kind }) => kind !== 'restart')
  return [
    isUp &&
      sh`docker compose ${options} up --detach --no-color --quiet-pull ${upWords(wish)} ${services} || exit`,
    state === 'restarted' && sh`docker compose ${options} restart ${stop} ${services} || exit`,
    wish.wait && waitUntilUp(options, services, wish.wait_timeout),
  ]
}

function upWords(wish: Params): readonly string[] {
  const { pull, build, recreate, timeout } = wish
  return [
    ...(pull === 'policy' ? [] : [`--pull=${pull}`]),
    ...(build === 'policy' ? [] : [build === 'always' ? '--build' : '--no-build']),
    ...(recreate === 'auto' ? [] : [recreate === 'always' ? '--force-recreate' : '--no-recreate']),
    ...(wish.remove_orphans ? ['--remove-orphans'] : []),
    ...(wish.dependencies ? [] : ['--no-deps']),
    ...(timeout === undefined ? [] : [`--timeout=${timeout}`]),
  ]
}

function after(project: Compose, wish: Params): Compose {
  if (wish.state === 'absent') return { ...project, containers: [] }
  if (wish.state !== 'stopped') return asWished(project, wish)
  const isAsked = (service: string): boolean => wish.services.length === 0 || wish.services.includes(service)
  return {
    ...project,
    containers: project.containers.map(one => (isAsked(one.service) ? { ...one, status: 'exited' } : one)),
  }
}
