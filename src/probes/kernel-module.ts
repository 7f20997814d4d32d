import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** `builtin` modules are part of the kernel and cannot be taken out of it. */
export type KernelModule = 'loaded' | 'builtin' | null

/** Asks whether the kernel has modules: no process but for those that it does not show at all. */
export const kernelModuleFamily: Family<string, KernelModule> = {
  name: 'kernel-module',
  key: moduleName,
  reads: name => [{ kind: 'host', name: `kernel-module ${moduleName(name)}` }],
  script: names => sh`has() {
if [ -r /proc/modules ]; then while read -r m rest; do if [ "$m" = "$1" ]; then printf l; return; fi; done </proc/modules; fi
if [ -d "/sys/module/$1" ]; then printf b; return; fi
f=/lib/modules/$(uname -r)/modules.builtin
if [ -r "$f" ]; then while IFS= read -r p; do p=\${p##*/}; p=\${p%.ko*}
case $1 in "$p") printf b; return ;; esac
case $p in *-*) case $(printf %s "$p" | tr - _) in "$1") printf b; return ;; esac ;; esac
done <"$f"; fi
printf -- -
}
for n in ${names.map(moduleName)}; do has "$n"; done`,
  parse: parseSigns,
}

/** Asks whether the kernel has the module. */
export const kernelModule = probeOf(kernelModuleFamily)

/** Returns the name as the kernel spells it. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_')
}

function parseSigns(answer: Completed, names: readonly string[]): readonly KernelModule[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  if (!/^[-lb]*$/.test(answer.out) || answer.out.length !== names.length) {
    throw unreadable(
      `expected a sign for each of ${names.length} modules, found \`${answer.out.slice(0, 80)}\``,
    )
  }
  return [...answer.out].map(
    sign => (({ l: 'loaded', b: 'builtin' })[sign] as KernelModule | undefined) ?? null,
  )
}
