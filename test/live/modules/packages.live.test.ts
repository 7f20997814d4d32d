import { afterAll, beforeAll, describe, test } from 'vitest'
import { cycle } from '../support/cycle.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'

describe('packages on a live host', () => {
  let host: LiveHost

  beforeAll(async () => {
    ;[host] = (await startHosts()) as [LiveHost]
  })
  afterAll(() => stopHosts([host]))

  test('deb822_repository', () =>
    cycle(host, {
      tasks: `
- deb822_repository: { name: Local things, uris: 'file:/opt/repo', suites: ./, trusted: true, architectures: all }
- deb822_repository: { name: old, state: absent }
`,
      observed: {
        'apt-get update >/dev/null 2>&1 && apt-cache policy sample-slow | grep -c "file:/opt/repo"': '1',
        'stat -c "%a %U %G" /etc/apt/sources.list.d/local-things.sources': '644 root root',
        'grep -h ^URIs: /etc/apt/sources.list.d/*.sources': 'URIs: file:/opt/repo',
      },
      mutations: [
        {
          script: 'sed -i "s/^Trusted: yes/Trusted: no/" /etc/apt/sources.list.d/local-things.sources',
          names: ['content /etc/apt/sources.list.d/local-things.sources'],
        },
        {
          script: 'touch /etc/apt/sources.list.d/old.sources',
          names: ['state /etc/apt/sources.list.d/old.sources'],
        },
      ],
    }))

  test('dpkg_selections', () =>
    cycle(host, {
      tasks: '- dpkg_selections: { name: sudo, selection: hold }',
      observed: { 'apt-mark showhold': 'sudo' },
      mutations: [{ script: 'apt-mark unhold sudo', names: ['selection sudo'] }],
    }))

  test('debconf', () =>
    cycle(host, {
      tasks: `
- debconf: { name: debconf, question: debconf/priority, vtype: select, value: critical }
- debconf: { name: app, question: app/password, vtype: password, value: an open secret }
`,
      observed: {
        'debconf-show debconf 2>/dev/null | grep priority': '* debconf/priority: critical',
        'grep -c "^Value: an open secret$" /var/cache/debconf/passwords.dat': '1',
      },
      mutations: [
        {
          script: 'echo "app app/password password other" | debconf-set-selections 2>/dev/null',
          names: ['answer app/password'],
        },
      ],
    }))
})
