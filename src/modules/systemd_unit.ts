import { z } from 'zod'
import { UNIT_NAME, unitName } from '../probes/unit.ts'
import { complain, flag } from './_params.ts'
import {
  unitFilesActions,
  unitFilesAfter,
  unitFilesDiff,
  unitFilesQuestions,
  unitFilesTouches,
  type UnitFilesWish,
} from './_unit-wishes.ts'
import { UNIT_FOLDER, unitSections, unitText, unitValidator } from './_unit-text.ts'
import { wholeFile } from './_whole-files.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    name: z
      .string()
      .regex(UNIT_NAME)
      .transform(unitName)
      .describe('Name of the unit; `.service` where it has no suffix.'),
    content: z.string().optional().describe('The text of the file.'),
    sections: unitSections
      .optional()
      .describe('The text as data: sections, keys, values. A list sets a key several times.'),
    drop_in: z
      .string()
      .regex(/^[\w.@-]+$/)
      .transform(name => (name.endsWith('.conf') ? name : `${name}.conf`))
      .optional()
      .describe('Name of a file that adds to the unit of a package, rather than being the unit.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the file should be there.'),
    enabled: flag().optional().describe('Whether the unit is started with the host.'),
    started: flag().optional().describe('Whether the unit is running now.'),
    restart: flag().default(false).describe('Start a running unit anew when its file has changed.'),
  })
  .superRefine(({ content, sections, state, enabled, started, name, drop_in }, context) => {
    const text = content ?? unitText(sections ?? {})
    if (state === 'absent') {
      if (enabled === true || started === true)
        complain(context, 'state', '`absent` found with a unit that should run')
      return
    }
    if ((content === undefined) === (sections === undefined))
      complain(context, 'content', 'either `content` or `sections` expected', 'MISSING_PARAM')
    if (!/^\[[^\]]+\]$/m.test(text)) complain(context, 'content', 'no section such as `[Service]` found')
    if (enabled === true && drop_in === undefined && !/^\[Install\]$/m.test(text))
      complain(context, 'enabled', 'a unit without a section `[Install]` cannot be enabled')
    if (started === true && /^Type=oneshot$/m.test(text) && !/^RemainAfterExit=(yes|true|on|1)$/m.test(text))
      complain(context, 'started', 'a unit of `Type=oneshot` ends; run it by a timer, or by `systemd`')
    if (name.includes('@.') && (enabled === true || started === true))
      complain(context, 'name', 'a template found; start its instances with `systemd`')
  })
type Params = z.output<typeof params>

export const systemd_unit = defineModule({
  name: 'systemd_unit',
  summary: 'Writes a unit of systemd, or adds to one, after systemd has judged the text.',
  examples: [
    '- name: Run the application\n  systemd_unit:\n    name: app\n    sections:\n      Unit: { Description: The application, After: network-online.target }\n      Service: { ExecStart: /opt/app/bin/app, User: app, Restart: on-failure }\n      Install: { WantedBy: multi-user.target }\n    enabled: true\n    started: true\n    restart: true\n',
    '- name: Give the web server more files\n  systemd_unit:\n    name: nginx\n    drop_in: limits\n    content: |\n      [Service]\n      LimitNOFILE=65536\n',
  ],
  deviations: [
    'Ansible has no such module.',
    'A key or section that systemd does not know is a mistake: systemd itself would ignore it and say nothing.',
  ],
  params,
  probe: (wish, host) => unitFilesQuestions(wishOf(wish), host),
  diff: (wish, state) => unitFilesDiff(wishOf(wish), state),
  apply: (found, wish, state) => unitFilesActions(found, wishOf(wish), state),
  expect: (wish, state) => unitFilesAfter(wishOf(wish), state),
  touches: (found, wish) => unitFilesTouches(found, wishOf(wish)),
  result: (wish, { unit }) => ({
    name: wish.name,
    dest: pathOf(wish),
    enabled: unit?.file ?? null,
    active: unit?.active ?? null,
  }),
})

function wishOf(wish: Params): UnitFilesWish {
  const { name, content, sections, drop_in, state, enabled, started, restart } = wish
  const path = pathOf(wish)
  const text = content ?? unitText(sections ?? {})
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const file = wholeFile(path, ended, { validate: unitValidator(name, drop_in) })
  const folder = { path: `${UNIT_FOLDER}/${name}.d`, whenNew: { mode: '0755' }, always: {} }
  const isAbsent = state === 'absent'
  return {
    files: {
      folders: drop_in === undefined || isAbsent ? [] : [folder],
      files: isAbsent ? [] : [file],
      gone: isAbsent ? [path] : [],
    },
    unit: name,
    isGone: isAbsent && drop_in === undefined,
    enabled,
    isStarted: started,
    restarts: restart,
  }
}

function pathOf({ name, drop_in }: Params): string {
  return drop_in === undefined ? `${UNIT_FOLDER}/${name}` : `${UNIT_FOLDER}/${name}.d/${drop_in}`
}
