import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { flag } from './_params.ts'

/** A name as docker takes it. */
export function dockerName() {
  return z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'letters, digits, `.`, `_` and `-` expected')
}

/** Names with values, such as labels and options of a driver. */
export function settings() {
  return z
    .record(z.string().min(1), z.union([z.string(), z.number(), flag()]))
    .transform(given =>
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
    )
}

/** Returns a change for each setting that is not as wished; settings that nobody named may be there as well. */
export function settingChanges(
  kind: string,
  what: string,
  found: Readonly<Record<string, string>>,
  wished: Readonly<Record<string, string>>,
): readonly Change[] {
  return Object.entries(wished)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => ({ kind, what: `${what}: ${name}`, before: found[name] ?? null, after: value }))
}

/** Returns words for a command line, such as `--label a=b`. */
export function optionWords(option: string, given: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(given).flatMap(([name, value]) => [option, `${name}=${value}`])
}
