import { z } from 'zod'
import { sh } from '../shell/sh.ts'

export const UNIT_FOLDER = '/etc/systemd/system'

const VALUE = z.union([z.string(), z.number(), z.boolean()])

/** Sections of a unit file: `Unit: { Description: … }`; a list sets a key several times. */
export const unitSections = z.record(
  z.string().regex(/^[A-Za-z][\w-]*$/),
  z.record(z.string().regex(/^[A-Za-z][\w-]*$/), z.union([VALUE, z.array(VALUE)])),
)

/** Returns the sections as systemd reads them; what is undefined is left out. */
export function unitText(
  sections: Readonly<Record<string, Readonly<Record<string, UnitValue | readonly UnitValue[] | undefined>>>>,
): string {
  return Object.entries(sections)
    .map(([name, keys]) => {
      const rows = Object.entries(keys).flatMap(([key, value]) =>
        (Array.isArray(value)
          ? (value as readonly UnitValue[])
          : value === undefined
            ? []
            : [value as UnitValue]
        ).map(one => `${key}=${valueText(one)}\n`),
      )
      return `[${name}]\n${rows.join('')}`
    })
    .join('\n')
}

type UnitValue = string | number | boolean

/** A line that ends in a backslash goes on in the next one. */
function valueText(value: UnitValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value).trimEnd().replaceAll('\n', ' \\\n  ')
}

/**
 * Returns a command that judges a unit file, or with `dropIn` a part of one, before it is put in place. Stricter than what guards
 * every unit file: systemd silently ignores a key it does not know, so that is a mistake here. In it `%s` stands for the file alone.
 */
export function unitValidator(unit: string, dropIn?: string): string {
  const own = dropIn === undefined ? '' : `${unit}.d/`
  const copies =
    dropIn === undefined
      ? sh`cp -- "%s" "$f/"${unit} || exit`
      : sh`o=$(systemctl show -p FragmentPath --value -- ${unit}); [ -f "$o" ] || exit 0
cp -- "$o" "$f/"${unit} && mkdir "$f/"${`${unit}.d`} && cp -- "%s" "$f/"${`${unit}.d/${dropIn}`} || exit`
  return sh`command -v systemd-analyze >/dev/null || exit 0
f=$(mktemp -d) || exit
trap 'rm -rf "$f"' EXIT
${copies}
said=$(LC_ALL=C systemd-analyze verify --man=no "$f/"${unit} 2>&1 |
grep -e "^$f/"${own} -e 'fatal error' -e Refusing | sed "s|^$f/||")
[ -n "$said" ] || exit 0
cat <<END
$said
END
exit 1`.text
}
