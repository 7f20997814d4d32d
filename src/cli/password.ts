import { closeSync, openSync, readFileSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { UsageError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { Interrupted } from './interrupt.ts'
import type { ReachFlags } from './options.ts'

const ENTER = new Set(['\r', '\n', '\u0004'])
const ERASE = new Set(['\u007f', '\b'])
const CTRL_C = '\u0003'
const CTRL_U = '\u0015'

/**
 * Returns the password that becoming another user needs: from a file, the environment or, with `-K`, from whoever
 * sits at the terminal; undefined where none was given.
 *
 * @throws UsageError NO_PASSWORD where it cannot be had.
 */
export async function becomePassword(
  flags: Pick<ReachFlags, 'askBecomePass' | 'becomePasswordFile'>,
  env: NodeJS.ProcessEnv,
): Promise<Secret | undefined> {
  if (flags.becomePasswordFile !== undefined) return fromFile(flags.becomePasswordFile)
  const given = env['MSINGI_BECOME_PASSWORD']
  if (given) return new Secret(given)
  if (!flags.askBecomePass) return undefined
  return askSecret('become password: ')
}

function fromFile(file: string): Secret {
  try {
    return new Secret(readFileSync(file, 'utf8').replace(/\r?\n$/, ''))
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new UsageError('NO_PASSWORD', `the password file \`${file}\` cannot be read: ${why}`)
  }
}

/**
 * Asks at the terminal of the process, whatever stdin is, and shows nothing of the answer.
 *
 * @throws `nobody` where there is no terminal; Interrupted where the person presses Ctrl-C.
 */
export async function askSecret(prompt: string, nobody = noTerminal()): Promise<Secret> {
  const terminal = openTerminal(nobody)
  process.stderr.write(prompt)
  return typedAt(terminal).finally(() => {
    process.stderr.write('\n')
  })
}

/** Returns what is typed at the terminal of the process; fails as `askSecret` does. */
export async function typedSecret(): Promise<Secret> {
  return typedAt(openTerminal(noTerminal()))
}

function typedAt(terminal: ReadStream): Promise<Secret> {
  return typed(terminal).finally(() => {
    terminal.setRawMode(false)
    terminal.destroy()
  })
}

/**
 * Opens the terminal of the process, whatever stdin is.
 *
 * @throws `nobody` where there is none.
 */
export function openTerminal(nobody: UsageError): ReadStream {
  let fd: number | undefined
  try {
    fd = openSync('/dev/tty', 'r')
    return new ReadStream(fd)
  } catch {
    if (fd !== undefined) closeSync(fd)
    throw nobody
  }
}

function noTerminal(): UsageError {
  return new UsageError(
    'NO_PASSWORD',
    'a password is needed and there is no terminal to ask at',
    'set MSINGI_BECOME_PASSWORD or give --become-password-file',
  )
}

function typed(terminal: ReadStream): Promise<Secret> {
  terminal.setRawMode(true)
  terminal.setEncoding('utf8')
  return new Promise((resolve, reject) => {
    let answer: string[] = []
    terminal.on('error', reject)
    terminal.on('data', chunk => {
      for (const key of String(chunk)) {
        if (key === CTRL_C) {
          reject(new Interrupted('interrupted at the password'))
          return
        }
        if (ENTER.has(key)) {
          resolve(new Secret(answer.join('')))
          return
        }
        if (key === CTRL_U) answer = []
        else if (ERASE.has(key)) answer.pop()
        else answer.push(key)
      }
    })
  })
}
