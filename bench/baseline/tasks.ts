/** The fifty tasks, as data: what the playbook, the hand-written script and the check of the end state are made from. */

export const GROUPS = [
  { name: 'perfapp', gid: 2001 },
  { name: 'perfops', gid: 2002 },
] as const

export const USERS = [1, 2, 3, 4].map(n => ({
  name: `perfu${n}`,
  uid: 2100 + n,
  shell: n < 3 ? '/bin/bash' : '/usr/sbin/nologin',
  extra: n < 3 ? 'perfops' : '',
  comment: `Perf user ${n}`,
}))

export const FOLDERS = [
  { path: '/etc/perf', mode: '0755', owner: 'root', group: 'root' },
  { path: '/etc/perf/conf.d', mode: '0755', owner: 'root', group: 'root' },
  { path: '/opt/perf', mode: '0755', owner: 'root', group: 'root' },
  { path: '/opt/perf/app', mode: '0750', owner: 'perfu1', group: 'perfapp' },
  { path: '/opt/perf/data', mode: '0770', owner: 'perfu2', group: 'perfapp' },
  { path: '/opt/perf/log', mode: '0755', owner: 'perfu3', group: 'perfapp' },
] as const

/** All of them are in the image already. */
export const PACKAGES = ['ca-certificates', 'iproute2', 'openssl', 'procps', 'sudo', 'tzdata'] as const

export interface SourceText {
  /** Name below `spec/files`. */
  readonly source: string
  readonly path: string
  readonly content: string
}

export const FILES: readonly SourceText[] = range(6).map(n => ({
  source: `file-${n}.conf`,
  path: `/etc/perf/file-${n}.conf`,
  content: `# file ${n}\n${range(20)
    .map(k => `key${twoDigits(k)} = value-${n}-${k}\n`)
    .join('')}`,
}))

export const UNITS: readonly SourceText[] = range(4).map(n => ({
  source: `perf-${n}.service`,
  path: `/etc/systemd/system/perf-${n}.service`,
  content: `[Unit]
Description=Perf unit ${n}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true

[Install]
WantedBy=multi-user.target
`,
}))

export const TEMPLATE = `# {{ app_name }}
[app]
name = {{ app_name }}
port = {{ app_port }}
env = {{ app_env }}
listen = 0.0.0.0:{{ app_port }}
log = /opt/perf/log/{{ app_name }}.log
${range(15)
  .map(k => `option${twoDigits(k)} = ${k}\n`)
  .join('')}`

export const APPS = range(8).map(n => {
  const vars = { app_name: `app-${n}`, app_port: String(8000 + n), app_env: 'production' }
  return { path: `/etc/perf/conf.d/app-${n}.conf`, vars, content: fill(TEMPLATE, vars) }
})

export const LINES = [
  { path: '/etc/login.defs', regexp: '^UMASK', line: 'UMASK 027' },
  { path: '/etc/login.defs', regexp: '^PASS_MAX_DAYS', line: 'PASS_MAX_DAYS 365' },
  { path: '/etc/login.defs', regexp: '^PASS_MIN_DAYS', line: 'PASS_MIN_DAYS 1' },
  { path: '/etc/systemd/journald.conf', regexp: '^#?SystemMaxUse=', line: 'SystemMaxUse=200M' },
  { path: '/etc/systemd/journald.conf', regexp: '^#?Compress=', line: 'Compress=yes' },
  { path: '/etc/ssh/sshd_config', regexp: '^#?X11Forwarding', line: 'X11Forwarding no' },
] as const

export const KEYS = [
  'vm.swappiness = 10',
  'net.ipv4.tcp_syncookies = 1',
  'kernel.sysrq = 0',
  'fs.file-max = 500000',
].map((line, index) => ({ path: `/etc/sysctl.d/60-perf-${index + 1}.conf`, content: `${line}\n` }))

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0')
}

function fill(template: string, vars: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{ (\w+) \}\}/g, (_, name: string) => vars[name] ?? '')
}
