import { randomInt } from 'node:crypto'
import { Secret } from '../base/secret.ts'

const CONSONANTS = 'bdfghjklmnprstvz'
const VOWELS = 'aiou'

/** Returns that many characters of an alphabet, each as likely as any other. */
export function randomText(length: number, alphabet: string): Secret {
  const letters = [...new Set(alphabet)]
  return new Secret(Array.from({ length }, () => letters[randomInt(letters.length)] ?? '').join(''))
}

/**
 * Returns words that can be read out over a telephone in any language, with `-` between them. Each is a proquint: five
 * letters, consonants and vowels in turn, that stand for 16 bits (Wilkerson, "Proquints", arXiv 0901.4016).
 */
export function randomWords(count: number): Secret {
  const word = (): string =>
    [CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS]
      .map(letters => letters[randomInt(letters.length)] ?? '')
      .join('')
  return new Secret(Array.from({ length: count }, word).join('-'))
}
