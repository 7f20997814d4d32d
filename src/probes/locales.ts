import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines } from './unreadable.ts'

/** Asks which locales the host can use, as it spells them itself, such as `en_GB.utf8`. None where it has no `locale`. */
export const localesFamily: Family<null, readonly string[]> = {
  name: 'locales',
  key: () => '',
  reads: () => [
    { kind: 'tree', name: '/usr/lib/locale' },
    { kind: 'package', name: 'locales' },
  ],
  absent: () => false,
  script: () => sh`command -v locale >/dev/null 2>&1 || exit 0
LC_ALL=C locale -a 2>/dev/null`,
  parse: (answer: Completed, args) => {
    if (answer.code !== 0) throw brokenOff('locale', answer)
    const found = endedLinesOrNone(answer.out)
    return args.map(() => found)
  },
}

/** Asks which locales the host can use. */
export const locales = probeOf(localesFamily)

function endedLinesOrNone(out: string): readonly string[] {
  return out === '' ? [] : endedLines(out).toSorted()
}
