/** Names of modules, enough for the cases; the grammar knows none by itself. */
export const MODULES: ReadonlySet<string> = new Set([
  'apt',
  'command',
  'copy',
  'debug',
  'file',
  'group',
  'lineinfile',
  'meta',
  'script',
  'service',
  'set_fact',
  'shell',
  'systemd',
  'template',
  'user',
])
