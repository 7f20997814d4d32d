import { HOST_PATH, STAGE0 } from './frame.ts'
import { quote } from './sh.ts'

/** Who the shell shall run as, and by which means. */
export interface Identity {
  readonly user: string
  readonly method: 'sudo' | 'su' | 'doas'
}

/** The command line that opens a shell, and what its far end prints before the handshake. */
export interface Opening {
  readonly command: string
  /**
   * The line that stage 0 prints as soon as it reads. Nothing may be sent before it is seen, because `su` and `sudo`
   * would take it for a password. Undefined where nothing can ask.
   */
  readonly ready: string | undefined
  /** Matches each prompt for a password. */
  readonly prompt: RegExp | undefined
}

/** Returns how to open a shell. `nonce` makes a prompt recognisable; it is not secret. */
export function opening(become: Identity | undefined, withPassword: boolean, nonce: string): Opening {
  const ready = `msingi-ready-${nonce}`
  const asked = `msingi-password-${nonce}:`
  const run = `-c '${STAGE0}'`
  const announceAndRun = `-c 'echo ${ready};${STAGE0}'`
  const silent = { ready: undefined, prompt: undefined }
  if (!become) return { command: clean(`/bin/sh ${run}`), ...silent }
  const user = quote(become.user)
  if (become.method === 'su') {
    return { command: clean(`su -s /bin/sh ${user} ${announceAndRun}`), ready, prompt: /password: ?/gi }
  }
  if (become.method === 'doas') return { command: clean(`doas -n -u ${user} /bin/sh ${run}`), ...silent }
  if (!withPassword) return { command: clean(`sudo -n -H -u ${user} -- /bin/sh ${run}`), ...silent }
  const command = clean(`sudo -S -H -p ${asked} -u ${user} -- /bin/sh ${announceAndRun}`)
  return { command, ready, prompt: new RegExp(asked, 'g') }
}

/** Any login shell understands this, csh and fish included; nothing of its environment but HOME is kept. */
function clean(command: string): string {
  return `exec env -i PATH=${HOST_PATH} LC_ALL=C HOME="$HOME" ${command}`
}

/** Why a shell could not be opened, in words, with the next step. */
export interface Refusal {
  readonly message: string
  readonly hint?: string
}

/** Returns why escalation failed, read from what was printed, or undefined where it does not say. */
export function refusal(become: Identity, text: string): Refusal | undefined {
  for (const { pattern, explain } of REFUSALS) {
    const found = pattern.exec(text)
    if (found) return explain(become, found)
  }
  return undefined
}

interface Reading {
  readonly pattern: RegExp
  readonly explain: (become: Identity, found: RegExpExecArray) => Refusal
}

/** What the tools print in the C locale. */
const REFUSALS: readonly Reading[] = [
  {
    pattern: /sudo: a (?:terminal|password) is required/,
    explain: become => ({
      message: 'sudo asks for a password and none was given',
      hint: `give the password with \`-K\`, or allow the login user without one: ${rule('LOGIN', become.user)}`,
    }),
  },
  {
    pattern: /(?:incorrect password attempt|Sorry, try again)/,
    explain: () => ({ message: 'sudo refused the password', hint: 'check the password given with `-K`' }),
  },
  {
    pattern:
      /(?:Sorry, user )?(\S+) (?:is not in the sudoers file|may not run sudo|is not allowed to (?:run sudo|execute))/,
    explain: (become, found) => ({
      message: `sudo does not allow \`${found[1] ?? ''}\` to run a shell as \`${become.user}\``,
      hint: `add the rule \`${rule(found[1] ?? 'LOGIN', become.user)}\` with visudo`,
    }),
  },
  {
    pattern: /sudo: (?:sorry, )?you must have a tty/,
    explain: () => ({
      message: 'sudo wants a terminal',
      hint: 'remove `Defaults requiretty` from sudoers, at least for the login user',
    }),
  },
  {
    pattern: /"no new privileges" flag|must be owned by uid 0 and have the setuid bit/,
    explain: () => ({
      message: 'sudo cannot gain privileges on this host',
      hint: 'allow new privileges for the service or container that the login runs in',
    }),
  },
  {
    pattern:
      /(?:unknown user:? |user |No passwd entry for user |no passwd entry for )['`]?([^\s'`]+?)['`]?(?: does not exist| is unknown|$|\n|:)/i,
    explain: (become, found) => ({
      message: `the host has no user \`${become.user}\``,
      hint: `create \`${found[1] ?? become.user}\` on the host, or correct \`become_user\``,
    }),
  },
  {
    pattern: /su: must be run from a terminal/,
    explain: () => ({ message: 'su wants a terminal', hint: 'use `become_method: sudo` on this host' }),
  },
  {
    pattern: /su: (?:Authentication failure|incorrect password)/i,
    explain: () => ({ message: 'su refused the password', hint: 'check the password given with `-K`' }),
  },
  {
    pattern: /su: Permission denied/i,
    explain: become => ({
      message: `su does not allow the login user to become \`${become.user}\``,
      hint: 'let the login user use su (PAM, group `wheel`), or use `become_method: sudo`',
    }),
  },
  {
    pattern: /doas: (?:Authorization|Authentication) (?:required|failed)/i,
    explain: become => ({
      message: 'doas asks for a password, which it takes from a terminal only',
      hint: `add the rule \`permit nopass LOGIN as ${become.user} cmd /bin/sh\` to doas.conf`,
    }),
  },
  {
    pattern: /doas: Operation not permitted/i,
    explain: become => ({
      message: `doas does not allow the login user to become \`${become.user}\``,
      hint: `add the rule \`permit nopass LOGIN as ${become.user} cmd /bin/sh\` to doas.conf`,
    }),
  },
  {
    pattern: /(sudo|su|doas)['’]?: (?:command not found|not found|No such file or directory)/,
    explain: become => ({
      message: `the host has no \`${become.method}\``,
      hint: `install \`${become.method}\` on the host, or set \`become_method\``,
    }),
  },
]

function rule(login: string, user: string): string {
  return `${login} ALL=(${user}) NOPASSWD: /bin/sh`
}
