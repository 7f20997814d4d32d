import { createHmac, randomBytes } from 'node:crypto'
import { plainText, type Secret } from '../base/secret.ts'

const SALT = randomBytes(16)

/** Returns what stands for a secret in the identity of a question, which must tell nothing about it; another one in each run. */
export function sealOf(secret: string | Secret | undefined): string {
  return secret === undefined
    ? ''
    : createHmac('sha256', SALT).update(plainText(secret)).digest('hex').slice(0, 16)
}
