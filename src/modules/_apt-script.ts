import type { Change } from '../base/result.ts'
import { planWords, type AptPlan } from '../probes/apt.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import type { AptParams } from './_apt-params.ts'
import type { Action } from './module.ts'

/** No package may ask a question, and needrestart restarts nothing by itself. */
const ENV = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_MODE: 'l',
  LC_ALL: 'C.UTF-8',
}

/** Waits until nobody holds a lock of dpkg or apt, and says who does: /proc/locks names the process and the file's inode. */
const WAIT = sh`holder() {
for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
[ -e "$f" ] && [ -r /proc/locks ] && i=$(stat -c %i -- "$f") || continue
while read -r n sort way mode p at rest; do
case $at in *:"$i") ;; *) continue ;; esac
c=; [ ! -r "/proc/$p/comm" ] || IFS= read -r c <"/proc/$p/comm"
printf '%s (process %s)' "\${c:-another program}" "$p"
return
done </proc/locks
done
}
wait_for_lock() {
waited=0
while who=$(holder) && [ -n "$who" ]; do
[ $((waited % 15)) -ne 0 ] || printf 'waiting for the package lock, which %s holds\\n' "$who" >&2
if [ "$waited" -ge "$1" ]; then
printf 'the package lock is still held by %s after %s s\\n' "$who" "$1" >&2
exit 100
fi
sleep 1
waited=$((waited + 1))
done
}`

/** Returns the one action that makes the changes: lists, repair, removal, installation, upgrade, cleaning. */
export function aptActions(
  found: readonly Change[],
  plans: readonly AptPlan[],
  params: AptParams,
): readonly Action[] {
  const isDue = (kind: string): boolean => found.some(change => change.kind === kind)
  const refreshes = isDue('cache')
  const wants = params.state === 'latest' && refreshes
  const steps = [
    refreshes &&
      sh`${aptGet(params)} -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update || exit
touch -c /var/lib/apt/lists`,
    params.state === 'absent' ? sh`dpkg --configure -a || :` : sh`dpkg --configure -a || exit`,
    packages(found, params, wants),
    ...plans
      .filter(plan => plan !== 'autoclean')
      .map(plan => sh`${aptGet(params)} ${[...releaseWords(params), ...planWords(plan)]} || exit`),
    plans.includes('autoclean') && sh`${aptGet(params)} autoclean || exit`,
  ]
  const script = lines(
    sh`umask 022`,
    WAIT,
    sh`wait_for_lock ${params.lock_timeout}`,
    params.policy_rc_d !== undefined && policy(params.policy_rc_d),
    ...steps,
  )
  return [{ do: 'run', script, env: ENV, capture: true }]
}

/** The words of the packages that differ; all of them where newer ones may only show in the fresh lists. */
function packages(found: readonly Change[], params: AptParams, wantsAll: boolean): Sh | false {
  const meant = params.packages.filter(({ name }) => wantsAll || found.some(change => change.what === name))
  if (meant.length === 0) return false
  if (params.state === 'absent') {
    const words = [params.purge ? 'purge' : 'remove', '--', ...meant.map(({ name }) => name)]
    return sh`${aptGet(params)} ${words} || exit`
  }
  const isBroken = found.some(({ kind, before }) => kind === 'repair' && before === 'broken')
  const names = meant.map(({ name, relation, version }) =>
    relation === '=' && version !== undefined ? `${name}=${version}` : name,
  )
  return sh`${aptGet(params)} ${[...releaseWords(params), ...(params.only_upgrade ? ['--only-upgrade'] : []), ...(isBroken ? ['--reinstall'] : []), 'install', '--', ...names]} || exit`
}

function releaseWords({ default_release: release }: AptParams): readonly string[] {
  return release === undefined ? [] : ['-t', release]
}

function aptGet(params: AptParams): Sh {
  const { install_recommends: recommends } = params
  const words = [
    '-y',
    '-q',
    '-o',
    'Dpkg::Use-Pty=0',
    '-o',
    `DPkg::Lock::Timeout=${params.lock_timeout}`,
    ...params.dpkg_options.flatMap(option => ['-o', `Dpkg::Options::=--${option}`]),
    ...(recommends === undefined ? [] : ['-o', `APT::Install-Recommends=${recommends ? 'true' : 'false'}`]),
    ...(params.allow_downgrade ? ['--allow-downgrades'] : []),
    ...(params.allow_change_held_packages ? ['--allow-change-held-packages'] : []),
    ...(params.fail_on_autoremove ? ['--no-remove'] : []),
  ]
  return sh`apt-get ${words}`
}

/** Puts a policy-rc.d in place for as long as the script runs: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt. */
function policy(status: number): Sh {
  return sh`rc=/usr/sbin/policy-rc.d kept=/usr/sbin/policy-rc.d.msingi
[ ! -e "$rc" ] || mv -- "$rc" "$kept" || exit
trap 'rm -f -- "$rc"; [ ! -e "$kept" ] || mv -- "$kept" "$rc"' EXIT
trap 'exit 143' HUP INT TERM
printf '#!/bin/sh\\nexit %s\\n' ${status} >"$rc" && chmod 0755 -- "$rc" || exit`
}
