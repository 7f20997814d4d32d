import { sh, type Sh } from '../shell/sh.ts'

/** Returns a script that ends with a clear word where the program is not there. */
export function needs(tool: string, origin: string): Sh {
  const message = `\`${tool}\` is missing on the host; it comes with the package \`${origin}\``
  return sh`command -v ${tool} >/dev/null || { printf '%s\\n' ${message} >&2; exit 127; }`
}
