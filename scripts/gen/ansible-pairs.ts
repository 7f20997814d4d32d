/** The same text in Jinja and in Handlebars, or the same condition in Jinja and in CEL; a test works ours out. */
export interface Pair {
  readonly jinja: string
  readonly ours: string
  readonly given: Readonly<Record<string, unknown>>
  readonly gives: unknown
}

export const TEXTS: readonly Pair[] = [
  { jinja: '{{ port }}', ours: '{{ port }}', given: { port: 80 }, gives: 80 },
  { jinja: "{{ web['name'] }}", ours: '{{ web.name }}', given: { web: { name: 'a' } }, gives: 'a' },
  { jinja: '{{ names[0] }}', ours: '{{ names.[0] }}', given: { names: ['a', 'b'] }, gives: 'a' },
  { jinja: '{{ port | default(80) }}', ours: '{{default port 80}}', given: {}, gives: 80 },
  { jinja: '{{ name | upper }}', ours: '{{upper name}}', given: { name: 'web' }, gives: 'WEB' },
  {
    jinja: "{{ names | join(', ') }}",
    ours: "{{join names ', '}}",
    given: { names: ['a', 'b'] },
    gives: 'a, b',
  },
  {
    jinja: '{{ names | unique | sort }}',
    ours: '{{sort (unique names)}}',
    given: { names: ['b', 'a', 'b'] },
    gives: ['a', 'b'],
  },
  {
    jinja: "{{ users | map(attribute='name') | list }}",
    ours: "{{pluck users 'name'}}",
    given: { users: [{ name: 'a' }, { name: 'b' }] },
    gives: ['a', 'b'],
  },
  {
    jinja: "{{ users | selectattr('admin') | list }}",
    ours: "{{where users 'admin'}}",
    given: {
      users: [
        { name: 'a', admin: true },
        { name: 'b', admin: false },
      ],
    },
    gives: [{ name: 'a', admin: true }],
  },
  {
    jinja: "{{ 'on' if tls else 'off' }}",
    ours: "{{ternary tls 'on' 'off'}}",
    given: { tls: true },
    gives: 'on',
  },
  { jinja: '{{ a + 1 }}', ours: '{{add a 1}}', given: { a: 1 }, gives: 2 },
  { jinja: '{{ a ~ b }}', ours: '{{a}}{{b}}', given: { a: 'x', b: 'y' }, gives: 'xy' },
  { jinja: '{{ data | to_json }}', ours: '{{to_json data}}', given: { data: { a: 1 } }, gives: '{"a":1}' },
  { jinja: '{{ text | b64encode }}', ours: '{{b64encode text}}', given: { text: 'a' }, gives: 'YQ==' },
  {
    jinja: '{{ path | basename }}',
    ours: '{{basename path}}',
    given: { path: '/etc/a.conf' },
    gives: 'a.conf',
  },
  {
    jinja: "{{ name | regex_replace('^w', 'W') }}",
    ours: "{{regex_replace name '^w' 'W'}}",
    given: { name: 'web' },
    gives: 'Web',
  },
  {
    jinja: "{{ net | ansible.utils.ipaddr('netmask') }}",
    ours: '{{cidr_netmask net}}',
    given: { net: '10.0.0.0/8' },
    gives: '255.0.0.0',
  },
  {
    jinja: '{% if tls %}https{% else %}http{% endif %}',
    ours: '{{#if tls}}https{{else}}http{{/if}}',
    given: { tls: false },
    gives: 'http',
  },
  {
    jinja: '{% for name in names %}{{ name }};{% endfor %}',
    ours: '{{#each names as |name|}}{{name}};{{/each}}',
    given: { names: ['a', 'b'] },
    gives: 'a;b;',
  },
  { jinja: '{# a comment #}', ours: '{{!-- a comment --}}', given: {}, gives: '' },
]

export const CONDITIONS: readonly Pair[] = [
  { jinja: "family == 'debian'", ours: "family == 'debian'", given: { family: 'debian' }, gives: true },
  { jinja: 'tls and not old', ours: 'tls && !old', given: { tls: true, old: false }, gives: true },
  { jinja: 'a or b', ours: 'a || b', given: { a: false, b: true }, gives: true },
  { jinja: 'port is defined', ours: 'defined(port)', given: {}, gives: false },
  { jinja: 'port is not defined', ours: '!defined(port)', given: {}, gives: true },
  { jinja: 'result is changed', ours: 'result.changed', given: { result: { changed: true } }, gives: true },
  { jinja: 'result is failed', ours: 'result.failed', given: { result: { failed: false } }, gives: false },
  { jinja: 'result is succeeded', ours: '!result.failed', given: { result: { failed: false } }, gives: true },
  {
    jinja: "'web' in groups_of_it",
    ours: "'web' in groups_of_it",
    given: { groups_of_it: ['web'] },
    gives: true,
  },
  { jinja: "'a' not in names", ours: "!('a' in names)", given: { names: ['b'] }, gives: true },
  { jinja: 'names | length > 0', ours: 'size(names) > 0', given: { names: ['a'] }, gives: true },
  { jinja: 'enabled | default(false)', ours: 'default(enabled, false)', given: {}, gives: false },
  { jinja: "text is match('^ok')", ours: "text.matches('^ok')", given: { text: 'ok then' }, gives: true },
  {
    jinja: "release is version('12', '>=')",
    ours: "version(release, '>=', '12')",
    given: { release: '12.5' },
    gives: true,
  },
  { jinja: 'value is none', ours: 'value == null', given: { value: null }, gives: true },
  { jinja: 'flag | bool', ours: 'bool(flag)', given: { flag: 'true' }, gives: true },
]

/** Facts of Ansible and ours. */
export const FACTS: readonly (readonly [ansible: string, ours: string])[] = [
  ['ansible_os_family', 'facts.os.family'],
  ['ansible_distribution', 'facts.os.id'],
  ['ansible_distribution_version', 'facts.os.version'],
  ['ansible_distribution_major_version', 'facts.os.major'],
  ['ansible_distribution_release', 'facts.os.codename'],
  ['ansible_kernel', 'facts.kernel.release'],
  ['ansible_architecture', 'facts.kernel.architecture'],
  ['ansible_hostname', 'facts.hostname.name'],
  ['ansible_fqdn', 'facts.hostname.fqdn'],
  ['ansible_domain', 'facts.hostname.domain'],
  ['ansible_memtotal_mb', 'facts.memory.total'],
  ['ansible_processor_vcpus', 'facts.cpu.count'],
  ['ansible_virtualization_type', 'facts.virtualization.type'],
  ['ansible_mounts', 'facts.mounts'],
  ['ansible_devices', 'facts.disks'],
  ['ansible_interfaces', 'facts.network.interfaces'],
  ['ansible_default_ipv4', 'facts.network.ipv4'],
  ['ansible_dns.nameservers', 'facts.network.nameservers'],
  ['ansible_date_time.epoch', 'facts.time.epoch'],
  ['ansible_uptime_seconds', 'facts.time.uptime'],
  ['ansible_pkg_mgr', 'facts.package_manager.name'],
  ['ansible_service_mgr', 'facts.service_manager.name'],
]
