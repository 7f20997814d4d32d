import { lines, sh, type Sh } from '../shell/sh.ts'
import { needs } from './_tools.ts'
import type { X509Params } from './_x509-params.ts'

/** Returns the script that fills the file of the shell's `$t`; it reads the passphrases of both keys, a line each, from its standard input. */
export function issueScript(wish: X509Params, days: number, keyType: string): Sh {
  const key = wish.privatekey_path ?? ''
  const config = configOf(wish, keyType)
  const isLocked = wish.privatekey_passphrase !== undefined || wish.ownca_privatekey_passphrase !== undefined
  const request = sh`openssl req -new -sha256 -key ${key} -passin stdin -config /dev/fd/4`
  return lines(
    needs('openssl', 'openssl'),
    sh`c=${config}; a=; b=`,
    isLocked && sh`IFS= read -r a && IFS= read -r b || exit`,
    wish.provider === 'selfsigned'
      ? sh`printf '%s\\n' "$a" | ${request} -x509 -days ${days} -extensions ext -out "$t" 4<<END || exit
$c
END`
      : lines(
          sh`r=$(printf '%s\\n' "$a" | ${request} 4<<END
$c
END
) || exit`,
          sh`n=$(openssl rand -hex 15) || exit`,
          sh`printf '%s\\n' "$b" | openssl x509 -req -sha256 -in /dev/fd/5 -CA ${wish.ownca_path ?? ''} -CAkey ${wish.ownca_privatekey_path ?? ''} -passin stdin -set_serial "0x1$n" -days ${days} -extfile /dev/fd/4 -extensions ext -out "$t" 4<<END 5<<END5 || exit
$c
END
$r
END5`,
        ),
  )
}

/** Returns what OpenSSL reads instead of asking questions; config(5) of OpenSSL. */
function configOf(
  { fields, names, uses, isAuthority, basic_constraints: limits, provider }: X509Params,
  keyType: string,
): string {
  const usage = isAuthority
    ? 'keyCertSign,cRLSign'
    : ['digitalSignature', ...(keyType === 'rsa' ? ['keyEncipherment'] : [])].join(',')
  return [
    '[req]',
    'prompt = no',
    'utf8 = yes',
    'string_mask = utf8only',
    'distinguished_name = dn',
    '[dn]',
    ...fields.map(([name, value]) => `${name} = ${escaped(value)}`),
    '[ext]',
    `basicConstraints = critical,${limits.join(',')}`,
    `keyUsage = critical,${usage}`,
    ...(uses.length > 0 ? [`extendedKeyUsage = ${uses.join(',')}`] : []),
    'subjectKeyIdentifier = hash',
    ...(provider === 'ownca' ? ['authorityKeyIdentifier = keyid'] : []),
    ...(names.length > 0 ? ['subjectAltName = @names', '[names]', ...names.map(nameLine)] : []),
  ].join('\n')
}

function nameLine(name: string, index: number): string {
  const colon = name.indexOf(':')
  return `${name.slice(0, colon)}.${index + 1} = ${name.slice(colon + 1)}`
}

/** Blanks around a value are lost, and `$` would stand for a variable. */
function escaped(value: string): string {
  return value.replaceAll(/[\\$#"'`]/g, String.raw`\$&`)
}
