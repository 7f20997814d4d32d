/** Names of variables and parameters whose values are secret. */
const SECRET_NAME =
  /(?:^|[_\-.])(?:password|passwd|passphrase|passwort|secret|token|api_?key|private_?key|secret_?key|access_?key|auth_?key|encryption_?key|credentials?|client_?secret|pass|pwd|pin)s?$/i

/** Names that end like one of a secret and are about something else. */
const HARMLESS_NAME = /(?:^|_)(?:update_password|no_pass|password_lock|needs?_\w+|has_\w+|min_\w+|max_\w+)$/i

/** What these begin with is a key whatever the name says. */
const KEY_MATERIAL: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/, 'a private key'],
  [/\bAGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20}/, 'an identity of age'],
  [/\bAKIA[0-9A-Z]{16}\b/, 'an access key of AWS'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}/, 'a token of GitHub'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@{}]+:[^\s/@{}]{3,}@/i, 'an address with a password in it'],
]

/** Tells whether something of that name is a secret, going by the words in it. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name)
}

/** Returns what sort of key a text holds in the open, or undefined. */
export function keyMaterialIn(text: string): string | undefined {
  return KEY_MATERIAL.find(([pattern]) => pattern.test(text))?.[1]
}

/** Tells whether a text is a value of its own: no template, no path to a file, not a word for "none". */
export function isLiteral(text: string): boolean {
  return !/\{\{|^\s*$|^[!*x]+$|^\/[\w./-]+$|^(?:none|null|omit|true|false|yes|no|present|absent)$/i.test(text)
}
