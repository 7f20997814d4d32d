import { sh, type Sh } from '../shell/sh.ts'

const STATE = `{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{or .HostConfig.RestartPolicy.Name "no"}} {{if .State.Health}}{{.State.Health.Status}}{{end}}`

/**
 * Returns the script that waits until all containers run, healthy where they have a check. One that has ended well and is not to be started again
 * has done its work: `docker compose up --wait` takes it for a failure (https://github.com/docker/compose/issues/10596). What is not up when the time
 * is over is named.
 */
export function waitUntilUp(options: readonly string[], services: readonly string[], seconds: number): Sh {
  return sh`_end=$(($(date +%s) + ${seconds}))
while _ids=$(docker compose ${options} ps --all --quiet ${services}) || exit; [ "$_ids" ]; do
_left=$({ docker inspect --format ${STATE} $_ids || echo 'a-container gone'; } | while read -r _name _status _code _policy _health; do
case "$_status $_health" in 'running '|'running healthy'|'running none') continue;; esac
case "$_status $_code $_policy" in 'exited 0 no'|'exited 0 on-failure') continue;; esac
echo "\${_name#/} is not up: $_status\${_health:+, $_health}"
done)
[ "$_left" ] || break
[ $(date +%s) -lt $_end ] || { printf '%s\\n' "$_left" >&2; exit 1; }
sleep 1
done`
}
