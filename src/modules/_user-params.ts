import { z } from 'zod'
import { Secret } from '../base/secret.ts'
import { ACCOUNT_NAME } from '../probes/accounts.ts'
import { account, complain, flag, path, text, words } from './_params.ts'

/** What the password field of a host may hold: a hash, or a sign that no password fits. */
const HASH = /^(!*|!*\*|!*\$[0-9a-z]+\$[^:\s]+)$/
const NO_COLON = /^[^:\n]*$/
const DAYS = z.coerce.number().int().min(-1).max(99_999)

const params = z
  .strictObject({
    name: z.string().regex(ACCOUNT_NAME).optional().describe('Name of the user.'),
    user: z.string().regex(ACCOUNT_NAME).optional().describe('Same as `name`.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the user should be there.'),
    uid: z.coerce.number().int().min(0).max(0xfffffffe).optional().describe('Number of the user.'),
    non_unique: flag().default(false).describe('The number may belong to another user as well.'),
    group: account().optional().describe('Primary group, by name or number; it must be there.'),
    groups: words()
      .optional()
      .describe('Further groups; they must be there. An empty list takes the user out of all.'),
    append: flag().default(false).describe('Add to the further groups, and take the user out of none.'),
    comment: text().pipe(z.string().regex(NO_COLON)).optional().describe('Full name or purpose.'),
    home: path().optional().describe('Home folder.'),
    create_home: flag().default(true).describe('Make the home folder where it is missing.'),
    move_home: flag().default(false).describe('Move what is in the old home folder to the new one.'),
    skeleton: path()
      .optional()
      .describe('Folder whose files go into a new home folder; `/etc/skel` where not given.'),
    shell: path().optional().describe('Login shell.'),
    system: flag().default(false).describe('Take the number of a new user from the range of the system.'),
    password: z
      .union([z.instanceof(Secret), z.string()])
      .transform(value => (value instanceof Secret ? value : new Secret(value)))
      .optional()
      .describe('Hash of the password, never the password itself; `!` or `*` where none may fit.'),
    update_password: z
      .enum(['always', 'on_create'])
      .default('always')
      .describe('`on_create`: leave the password of a user who is there.'),
    password_lock: flag().optional().describe('Whether the password is locked; keys still work.'),
    password_expire_max: DAYS.optional().describe('Days after which a password must be changed.'),
    password_expire_min: DAYS.optional().describe('Days before which a password may not be changed.'),
    password_expire_warn: DAYS.optional().describe('Days of warning before a password ends.'),
    expires: z.coerce
      .number()
      .optional()
      .describe('When the account ends, in seconds since 1970; less than 0 where never.'),
    remove: flag().default(false).describe('With `absent`: remove the home folder and the mail as well.'),
    force: flag().default(false).describe('With `absent`: remove the user even while logged in.'),
    generate_ssh_key: flag().default(false).describe('Make an SSH key for the user where there is none.'),
    ssh_key_type: z.enum(['ed25519', 'rsa', 'ecdsa']).default('ed25519').describe('Sort of the key.'),
    ssh_key_bits: z.coerce.number().int().min(256).optional().describe('Length of the key.'),
    ssh_key_file: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .refine(value => !value.split('/').includes('..'), 'a path without `..` expected')
      .optional()
      .describe('Path of the key in the home folder; `.ssh/id_<type>` where not given.'),
    ssh_key_comment: text().optional().describe('Comment of the key; name and host where not given.'),
  })
  .transform(({ name, user, ...given }, context) => {
    const found = name ?? user
    if (found === undefined) complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    if (given.append && given.groups === undefined)
      complain(context, 'append', '`groups` expected with it', 'MISSING_PARAM')
    if (given.move_home && given.home === undefined)
      complain(context, 'move_home', '`home` expected with it', 'MISSING_PARAM')
    if (given.password !== undefined && !HASH.test(given.password.reveal())) {
      complain(
        context,
        'password',
        'something that is no hash found; a hash such as `$6$…` or `$y$…` expected',
      )
    }
    return { ...given, name: found ?? '', key: given.ssh_key_file ?? `.ssh/id_${given.ssh_key_type}` }
  })

export const userParams = params
export type UserParams = z.output<typeof params>
