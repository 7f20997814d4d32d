import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { parentPort } from 'node:worker_threads'
import { answerCalls } from './await-worker.ts'

/** What the worker is asked; keys and texts travel inside the process alone. */
export type AgeJob =
  | {
      readonly do: 'decrypt'
      readonly sealed: Uint8Array | string
      readonly identities: readonly string[]
      readonly passphrases: readonly string[]
    }
  | { readonly do: 'encrypt'; readonly text: string; readonly recipients: readonly string[] }
  | {
      readonly do: 'encrypt-with-passphrase'
      readonly text: string
      readonly passphrase: string
      readonly workFactor: number
    }
  | { readonly do: 'generate' }
  | { readonly do: 'recipient'; readonly identity: string }

if (parentPort === null) throw new Error('this file runs as a worker')
answerCalls(parentPort, job => work(job as AgeJob))

async function work(job: AgeJob): Promise<Uint8Array | string> {
  switch (job.do) {
    case 'decrypt': {
      const decrypter = new Decrypter()
      for (const identity of job.identities) decrypter.addIdentity(identity)
      for (const passphrase of job.passphrases) decrypter.addPassphrase(passphrase)
      return decrypter.decrypt(typeof job.sealed === 'string' ? armor.decode(job.sealed) : job.sealed)
    }
    case 'encrypt': {
      const encrypter = new Encrypter()
      for (const recipient of job.recipients) encrypter.addRecipient(recipient)
      return armor.encode(await encrypter.encrypt(job.text))
    }
    case 'encrypt-with-passphrase': {
      const encrypter = new Encrypter()
      encrypter.setPassphrase(job.passphrase)
      encrypter.setScryptWorkFactor(job.workFactor)
      return armor.encode(await encrypter.encrypt(job.text))
    }
    case 'generate':
      return generateX25519Identity()
    case 'recipient':
      return identityToRecipient(job.identity)
  }
}
