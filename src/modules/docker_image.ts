import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { image, type Image } from '../probes/docker.ts'
import { exists } from '../probes/exists.ts'
import { lines, sh } from '../shell/sh.ts'
import { complain, flag, path } from './_params.ts'
import { changes, defineModule } from './module.ts'

const DIGEST = /^sha256:[0-9a-f]{64}$/

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][\w.:/@-]*$/, 'the name of an image expected')
      .describe('Name of the image, with its tag or digest.'),
    tag: z
      .string()
      .regex(/^\w[\w.-]*$/)
      .optional()
      .describe('Tag; `latest` where neither this nor a digest is given.'),
    source: z
      .enum(['pull', 'load', 'local'])
      .optional()
      .describe('Where it comes from: a registry, an archive on the host, or it must be there.'),
    load_path: path().optional().describe('Archive on the host, for `source: load`.'),
    archive_path: path().optional().describe('Same as `load_path`.'),
    digest: z.string().regex(DIGEST).optional().describe('Digest of the registry that the image must have.'),
    id: z
      .string()
      .regex(DIGEST)
      .optional()
      .describe('Identifier that the image must have; for images from archives.'),
    platform: z
      .string()
      .regex(/^[\w/.-]+$/)
      .optional()
      .describe('Platform to pull for, such as `linux/amd64`.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether the image should be on the host.'),
    force_absent: flag().default(false).describe('Remove it even where other names stand for it.'),
  })
  .transform(({ archive_path: archive, ...given }, context) => {
    const load = given.load_path ?? archive
    const source = given.source ?? (load === undefined ? 'pull' : 'load')
    if (source === 'load' && load === undefined)
      complain(context, 'load_path', '`load_path` is missing', 'MISSING_PARAM')
    const [base = '', digest] = given.name.split('@', 2)
    if (digest !== undefined && !DIGEST.test(digest))
      complain(context, 'name', `\`${digest}\` found, a digest expected`)
    const hasTag = /:[^/]*$/.test(base)
    if (hasTag && given.tag !== undefined) complain(context, 'tag', 'a tag found in `name` as well')
    const tagged = hasTag
      ? base
      : given.tag === undefined && digest !== undefined
        ? base
        : `${base}:${given.tag ?? 'latest'}`
    return {
      ...given,
      source,
      load,
      digest: given.digest ?? digest,
      reference: digest === undefined ? tagged : `${tagged}@${digest}`,
    }
  })
type Params = z.output<typeof params>

export const docker_image = defineModule({
  name: 'docker_image',
  summary: 'Keeps an image on the host, from a registry or an archive.',
  examples: [
    '- name: Fetch the database\n  docker_image:\n    name: couchdb:3.4\n',
    '- name: Load the release where there is no way out\n  docker_image:\n    name: example/api:5.1.0\n    load_path: /srv/images/api-5.1.0.tar\n',
  ],
  deviations: [
    '`source` is `pull`, or `load` where `load_path` is given; images are not built here.',
    'An image that is there is right, whatever the registry has under its name by now, unless `digest` or `id` is given. `force_source` is not taken: nothing could be compared.',
    'Images are removed without `force`, which containers that use them refuse.',
  ],
  params,
  probe: ({ reference, load }) => ({
    image: image(reference),
    ...(load !== undefined && { archive: exists(load) }),
  }),
  diff: (wish, state): readonly Change[] => {
    const { reference, source, load } = wish
    const found = state.image
    if (wish.state === 'absent')
      return changes(found && { kind: 'state', what: reference, before: found.id, after: 'absent' })
    if (found && isRight(wish, found)) return []
    if (source === 'local')
      throw new TaskError(
        'IMAGE_MISSING',
        `the image \`${reference}\` is not on the host${found ? ' in the version wished' : ''}`,
      )
    if (source === 'load' && state.archive === false)
      throw new TaskError('SOURCE_MISSING', `the archive \`${load}\` is not on the host`)
    return [
      {
        kind: source,
        what: reference,
        before: found?.id ?? null,
        after: wish.digest ?? wish.id ?? 'present',
      },
    ]
  },
  apply: (_, { state, reference, source, load, platform, force_absent: force }) => [
    {
      do: 'run',
      script: lines(
        state === 'absent' && sh`docker image rm ${force ? sh`--force` : sh``} -- ${reference} || exit`,
        state === 'present' &&
          source === 'load' &&
          sh`docker image load --quiet --input ${load ?? ''} || exit`,
        state === 'present' &&
          source === 'pull' &&
          sh`docker image pull --quiet ${platform === undefined ? sh`` : sh`--platform=${platform}`} -- ${reference} || exit`,
      ),
    },
  ],
  expect: (wish, { image: found, ...rest }) => ({
    ...rest,
    image: wish.state === 'absent' ? null : asWished(wish, found),
  }),
  touches: () => [{ kind: 'docker', name: '*' }],
  result: ({ reference }, { image: found }) => ({
    image: found && {
      Name: reference,
      Id: found.id,
      RepoTags: found.tags,
      RepoDigests: found.digests,
      Size: found.bytes,
    },
  }),
})

function isRight({ digest, id }: Params, found: Image): boolean {
  const hasDigest = digest === undefined || found.digests.some(one => one.endsWith(`@${digest}`))
  return hasDigest && (id === undefined || found.id === id)
}

function asWished({ digest, id, reference }: Params, found: Image | null): Image {
  if (
    found &&
    (digest === undefined || found.digests.some(one => one.endsWith(`@${digest}`))) &&
    id === undefined
  )
    return found
  return {
    id: id ?? found?.id ?? '',
    tags: [reference],
    digests: digest === undefined ? [] : [`${reference}@${digest}`],
    bytes: 0,
  }
}
