import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import type { Shadow } from '../probes/accounts.ts'
import type { UserParams } from './_user-params.ts'

const DAY_SECONDS = 86_400

/** `2026-01-31`; empty where the account never ends. */
export function dateOf(expires: number): string {
  if (expires < 0) return ''
  return new Date(dayOf(expires) * DAY_SECONDS * 1000).toISOString().slice(0, 10)
}

/** Returns whether anything about the password is wished for. */
export function wantsShadow(params: UserParams): boolean {
  return [params.password, params.password_lock, params.expires, ...AGEING.map(name => params[name])].some(
    value => value !== undefined,
  )
}

/**
 * Returns what differs about the password of a user who is there.
 *
 * @throws TaskError with code `NO_PASSWORD` where a password is to be unlocked and there is none.
 */
export function passwordChanges(params: UserParams, found: Shadow | null): readonly (Change | false)[] {
  const { name, password, password_lock: lock } = params
  requirePassword(params, found)
  const hash = found?.password.reveal() ?? ''
  const isFixed = password === undefined || params.update_password === 'on_create'
  return [
    !isFixed &&
      !fits(password.reveal(), hash) && {
        kind: 'password',
        what: name,
        before: found?.password ?? null,
        after: password,
      },
    lock !== undefined &&
      lock !== hash.startsWith('!') && { kind: 'password_lock', what: name, before: !lock, after: lock },
    endChange(params, found?.expires ?? -1),
    ...AGEING.map(kind => {
      const [before, after] = [found?.[FIELDS[kind]] ?? -1, params[kind]]
      return after !== undefined && before !== after && { kind, what: name, before, after }
    }),
  ]
}

function endChange({ name, expires }: UserParams, before: number): Change | false {
  if (expires === undefined || before === dayOf(expires)) return false
  const shown = (seconds: number): string => dateOf(seconds) || 'never'
  return { kind: 'expires', what: name, before: shown(before * DAY_SECONDS), after: shown(expires) }
}

/** Throws where a password is to be unlocked and there is, and will be, none. */
export function requirePassword(
  { name, password, password_lock: lock }: UserParams,
  found: Shadow | null,
): void {
  if (lock !== false || password !== undefined) return
  if (found !== null && !/^!+$/.test(found.password.reveal())) return
  throw new TaskError(
    'NO_PASSWORD',
    `\`${name}\` has no password that could be unlocked`,
    'give a `password`',
  )
}

/** Returns what will be kept of the password. */
export function foretoldShadow(params: UserParams, before: Shadow | null): Shadow {
  const { password, password_lock: lock, expires } = params
  const isSet = password !== undefined && (before === null || params.update_password === 'always')
  const kept = before?.password.reveal() ?? '!'
  const hash = isSet && !fits(password.reveal(), kept) ? password.reveal() : kept
  const open = hash.replace(/^!+/, '')
  const ageing = AGEING.map(name => {
    const days = params[name] ?? before?.[FIELDS[name]] ?? -1
    return [FIELDS[name], days === -1 ? null : days]
  })
  const end = expires === undefined ? (before?.expires ?? -1) : dayOf(expires)
  return {
    minDays: null,
    maxDays: null,
    warnDays: null,
    ...Object.fromEntries(ageing),
    password: lock === undefined ? new Secret(hash) : new Secret(lock ? `!${open}` : open),
    expires: end === -1 ? null : end,
  }
}

export const AGEING = ['password_expire_max', 'password_expire_min', 'password_expire_warn'] as const
const FIELDS = {
  password_expire_max: 'maxDays',
  password_expire_min: 'minDays',
  password_expire_warn: 'warnDays',
} as const

/** A host's locked password still is that password; only a wish for a locked one is taken by the letter. */
function fits(wanted: string, hash: string): boolean {
  return wanted.startsWith('!') ? wanted === hash : wanted === hash.replace(/^!+/, '')
}

function dayOf(expires: number): number {
  return expires < 0 ? -1 : Math.floor(expires / DAY_SECONDS)
}
