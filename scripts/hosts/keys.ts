import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { makeKeyPair } from '../../src/lab/keys.ts'
import { STATE } from './docker.ts'

/** Returns the login key of all throw-away hosts: the file of the private half, and the text of the public half. */
export function operatorKey(): { readonly file: string; readonly open: string } {
  const file = join(STATE, 'id_ed25519')
  if (!existsSync(file)) {
    const pair = makeKeyPair()
    mkdirSync(STATE, { recursive: true })
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, pair.secret, { mode: 0o600 })
    settle(draft, file)
  }
  const parsed = ssh2.utils.parseKey(readFileSync(file))
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error(`${file} holds no private key`)
  return { file, open: `ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}` }
}

/** Gives the draft its name unless another process was first: both then read the same key. */
function settle(draft: string, file: string): void {
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  } finally {
    rmSync(draft)
  }
}
