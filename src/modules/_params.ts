import { z } from 'zod'
import { Secret } from '../base/secret.ts'
import { pythonPattern, pythonTextPattern } from './_regexp.ts'
import type { LocalFile, LocalTree } from './_local.ts'

const YES = ['yes', 'on', 'true', 'y', 't', '1']
const NO = ['no', 'off', 'false', 'n', 'f', '0']

/** A boolean, or a word that people write for one: `yes`, `no`, `on`, `off` in any case, 1 and 0. */
export function flag() {
  return z.union([z.boolean(), z.string(), z.number()]).transform((value, context) => {
    const word = String(value).toLowerCase()
    if (YES.includes(word)) return true
    if (NO.includes(word)) return false
    context.addIssue({ code: 'custom', message: `\`${value}\` found, \`true\` or \`false\` expected` })
    return z.NEVER
  })
}

/** Text; a number stands for its digits. */
export function text() {
  return z.union([z.string(), z.number(), z.boolean()]).transform(String)
}

/** One text or a list of them; a text with commas is a list, as in Ansible. */
export function words() {
  return z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])
    .transform(value =>
      (Array.isArray(value) ? value : String(value).split(','))
        .map(word => String(word).trim())
        .filter(word => word !== ''),
    )
}

/** An absolute path on the host, without a closing slash. */
export function path() {
  return z.string().transform((value, context) => {
    const problem = pathProblem(value)
    if (problem === undefined) return tidy(value)
    context.addIssue({ code: 'custom', message: problem })
    return z.NEVER
  })
}

/** An absolute path on the host; a closing slash, which means "a folder", is kept. */
export function folderPath() {
  return z.string().transform((value, context) => {
    const found = path().safeParse(value)
    if (found.success) return value.endsWith('/') && found.data !== '/' ? `${found.data}/` : found.data
    context.addIssue({
      code: 'custom',
      message: found.error.issues[0]?.message ?? 'an absolute path expected',
    })
    return z.NEVER
  })
}

/** A pattern in Python's spelling, matched against one line. */
export function pattern() {
  return translated(pythonPattern)
}

/** A pattern in Python's spelling, matched against a whole text; with `dotall`, `.` stands for line ends as well. */
export function textPattern(dotall = false) {
  return translated(value => pythonTextPattern(value, dotall))
}

function translated(translate: (value: string) => RegExp) {
  return z.string().transform((value, context): RegExp => {
    try {
      return translate(value)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      context.addIssue({ code: 'custom', message: `\`${value}\` is no pattern: ${reason}` })
      return z.NEVER
    }
  })
}

/** A pattern, or the word for the beginning or end of a file. */
export function anchor() {
  return z.union([z.enum(['BOF', 'EOF']), pattern()])
}

/** A command that checks a file before it is put in place. */
export function validator() {
  return z
    .string()
    .refine(command => command.includes('%s'), 'a command with `%s` in place of the file expected')
    .optional()
    .describe('Command that checks the new file before it is put in place; `%s` stands for its path.')
}

function pathProblem(value: string): string | undefined {
  if (value === '') return 'an empty path found, an absolute one expected'
  if (value.startsWith('~')) return `\`${value}\` found; write the home folder's path out`
  if (!value.startsWith('/')) return `the relative path \`${value}\` found, an absolute one expected`
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\0-\x1f\x7f]/.test(value)) return 'a control character found in a path'
  if (value.split('/').includes('..')) return `\`${value}\` found; write the path without \`..\``
  return undefined
}

function tidy(value: string): string {
  const steps = value.split('/').filter(step => step !== '' && step !== '.')
  return `/${steps.join('/')}`
}

/**
 * Permissions: octal digits (`0644`, `"0644"`, `644`) or symbolic (`u=rw,g=r,o=r`). Digits become four.
 * A number that can only be the decimal value of an octal one is refused.
 */
export function mode() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const written = String(value).replace(/^0o(?=[0-7])/, '')
    const problem = modeProblem(written, typeof value === 'number')
    if (problem === undefined) return /^\d/.test(written) ? written.slice(-4).padStart(4, '0') : written
    context.addIssue({ code: 'custom', message: problem, params: { code: 'BAD_MODE' } })
    return z.NEVER
  })
}

const SYMBOLIC = /^([ugoa]*([-+=]([rwxXst]*|[ugo]))+)(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*$/

function modeProblem(written: string, isNumber: boolean): string | undefined {
  if (/^0*[0-7]{1,4}$/.test(written)) {
    return isNumber && looksDecimal(written)
      ? `\`${written}\` found, which reads like an octal number turned decimal; quote the digits, such as \`"0644"\``
      : undefined
  }
  if (/^\d+$/.test(written)) return `\`${written}\` found, octal digits (0 to 7, at most four) expected`
  if (SYMBOLIC.test(written)) return undefined
  return `\`${written}\` found, octal digits such as \`0644\` or a symbolic mode such as \`u=rw,g=r\` expected`
}

/** 0o644 is 420: nobody gives the group more than the owner, or others more than the group, without meaning to. */
function looksDecimal(written: string): boolean {
  const [owner = 0, group = 0, others = 0] = Array.from(written.padStart(4, '0').slice(-3), Number)
  const within = (inner: number, outer: number): boolean => (inner & ~outer) === 0
  return written === '511' || !within(group, owner) || !within(others, group) || (owner > 0 && owner < 4)
}

/** Name or number of a user or group. */
export function account() {
  return z.union([z.string().regex(/^[^\s:,/\0]+$/), z.number().int().nonnegative()]).transform(String)
}

/** Parameters that say who owns something and who may do what with it. */
export const ownership = {
  mode: mode()
    .optional()
    .describe('Permissions: octal digits such as `0644`, or symbolic such as `u=rw,g=r`.'),
  owner: account().optional().describe('Name or number of the user that owns it.'),
  group: account().optional().describe('Name or number of the group that owns it.'),
}

/** The three names under which a path may be given. */
export const place = {
  path: path().optional().describe('Absolute path on the host.'),
  dest: path().optional().describe('Same as `path`.'),
  name: path().optional().describe('Same as `path`.'),
}

/** Returns the path given under one of its names. */
export function placed(
  given: { readonly [K in keyof typeof place]?: string | undefined },
  context: z.RefinementCtx,
): string {
  const found = given.path ?? given.dest ?? given.name
  if (found === undefined) complain(context, 'path', '`path` is missing', 'MISSING_PARAM')
  return found ?? '/'
}

/** Adds a complaint about one parameter. */
export function complain(context: z.RefinementCtx, key: string, message: string, code = 'BAD_PARAM'): void {
  context.addIssue({ code: 'custom', message, path: [key], params: { code } })
}

/** A file or folder on the controller, put in place by the runner. */
export function local() {
  return z.custom<LocalFile | LocalTree>(value => isLocalFile(value) || isLocalTree(value), {
    message: 'a file or folder of the project expected',
  })
}

/** Text that may be a secret. */
export function maybeSecret() {
  return z
    .union([z.instanceof(Secret), z.string(), z.number(), z.boolean()])
    .transform(value => (value instanceof Secret ? value : String(value)))
}

export function isLocalFile(value: unknown): value is LocalFile {
  return typeof value === 'object' && value !== null && 'sha256' in value && 'content' in value
}

export function isLocalTree(value: unknown): value is LocalTree {
  return typeof value === 'object' && value !== null && 'entries' in value
}
