import { createHash } from 'node:crypto'
import { Secret } from '../base/secret.ts'
import { type AgeKeys, isAge, openAge, wantsPassphrase } from './age.ts'
import { isVault, openVault, type VaultPassword } from './ansible-vault.ts'
import { SealError } from './seal-error.ts'
import { type Leaf, type Opened, openSops } from './sops.ts'

/** Where keys come from; each is read when something is to be opened, and then kept. */
export interface KeySources {
  /** @throws UsageError where a key that was named cannot be had. */
  readonly identities: () => readonly Secret[]
  readonly passphrases: () => readonly Secret[]
  readonly vaultPasswords: () => readonly VaultPassword[]
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly ask?: ((what: 'age passphrase' | 'vault password') => Secret | undefined) | undefined
}

/** Opens what is encrypted, and remembers what it opened. */
export class Keyring {
  readonly #sources: KeySources
  readonly #opened = new Map<string, string>()
  readonly #secrets = new Set<Secret>()
  readonly #listeners: ((secret: Secret) => void)[] = []
  #identities: readonly Secret[] | undefined
  #passphrases: Secret[] | undefined
  #vaultPasswords: VaultPassword[] | undefined

  constructor(sources: KeySources) {
    this.#sources = sources
  }

  /** Tells whether the whole text is encrypted, with age or with ansible-vault. */
  isSealed(text: string): boolean {
    return isAge(text) || isVault(text)
  }

  /**
   * Returns what is encrypted in a text.
   *
   * @throws SealError LOCKED where no key opens it, DAMAGED where it is not whole.
   */
  open(sealed: string): string {
    const id = createHash('sha256').update(sealed).digest('base64')
    const known = this.#opened.get(id)
    if (known !== undefined) return known
    const text = isVault(sealed) ? this.#openVault(sealed) : this.#openAge(sealed)
    this.#opened.set(id, text)
    return text
  }

  /** Returns the values of a file encrypted with sops; fails as `openSops` does. */
  openSops(leaves: readonly Leaf[], metadata: unknown): readonly Opened[] {
    return openSops(leaves, metadata, this.#ageKeys())
  }

  /** Returns a value as a secret, and tells whoever masks secrets. */
  keep(value: string): Secret {
    const secret = new Secret(value)
    this.#secrets.add(secret)
    for (const listener of this.#listeners) listener(secret)
    return secret
  }

  /** Calls the listener for every secret that was opened, and for each that will be. */
  onSecret(listener: (secret: Secret) => void): void {
    this.#listeners.push(listener)
    for (const secret of this.#secrets) listener(secret)
  }

  /** Returns the identities at hand. */
  identities(): readonly Secret[] {
    this.#identities ??= this.#sources.identities()
    return this.#identities
  }

  #ageKeys(): AgeKeys {
    this.#passphrases ??= [...this.#sources.passphrases()]
    return { identities: this.identities(), passphrases: this.#passphrases }
  }

  #openAge(sealed: string): string {
    if (!isAge(sealed)) throw new SealError('DAMAGED', 'this is nothing that age encrypted')
    const keys = this.#ageKeys()
    if (!wantsPassphrase(sealed)) {
      if (keys.identities.length === 0) throw new SealError('LOCKED', 'no identity is at hand')
      return openAge(sealed, { ...keys, passphrases: [] })
    }
    try {
      return openAge(sealed, { ...keys, identities: [] })
    } catch (error) {
      const typed = isLocked(error) ? this.#sources.ask?.('age passphrase') : undefined
      if (typed === undefined) throw error
      this.#passphrases?.push(typed)
      return openAge(sealed, { identities: [], passphrases: [typed] })
    }
  }

  #openVault(sealed: string): string {
    this.#vaultPasswords ??= [...this.#sources.vaultPasswords()]
    try {
      return openVault(sealed, this.#vaultPasswords)
    } catch (error) {
      const typed = isLocked(error) ? this.#sources.ask?.('vault password') : undefined
      if (typed === undefined) throw error
      this.#vaultPasswords.push({ id: 'typed', password: typed })
      return openVault(sealed, [{ id: 'typed', password: typed }])
    }
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof SealError && error.code === 'LOCKED'
}
