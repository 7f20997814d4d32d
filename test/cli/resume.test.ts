import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ENVIRONMENT } from './support/in-one-process.ts'

const run = promisify(execFile)
const BIN = join(import.meta.dirname, '../../bin/msingi.js')
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msingi-resume-'))
  writeFileSync(
    join(folder, 'hosts.yml'),
    `all:\n  hosts:\n    good: {ansible_connection: local, source: ${folder}}\n    bad: {ansible_connection: local, source: ${folder}/missing}\n`,
  )
  writeFileSync(
    join(folder, 'site.yml'),
    `- hosts: all
  tasks:
    - {name: mark, copy: {content: "{{ inventory_hostname }}", dest: "${folder}/{{ inventory_hostname }}"}, notify: tell}
    - {name: needs a folder, copy: {content: x, dest: "{{ source }}/x-{{ inventory_hostname }}"}}
  handlers:
    - {name: tell, shell: "echo {{ inventory_hostname }} >>${folder}/told"}
`,
  )
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

async function msingi(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [BIN, ...argv], { cwd: folder, env: ENVIRONMENT })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

const left = (): unknown => JSON.parse(readFileSync(join(folder, '.msingi/resume.json'), 'utf8'))

describe('apply --resume', { timeout: 60_000 }, () => {
  test('takes up the hosts that failed, and those alone', async () => {
    const first = await msingi('apply', 'site.yml', '-i', 'hosts.yml')
    expect([first.code, left()], first.stdout).toMatchObject([1, { hosts: ['bad'] }])
    writeFileSync(
      join(folder, 'site.yml'),
      readFileSync(join(folder, 'site.yml'), 'utf8').replace('{{ source }}', folder),
    )

    const again = await msingi('apply', '--resume', '--output', 'json')

    expect(again.code, `${again.stdout}${again.stderr}`).toBe(0)
    expect(again.stdout).not.toContain('"host":"good"')
    expect(existsSync(join(folder, '.msingi/resume.json'))).toBe(false)
  })

  test('runs the handlers that the host itself remembers to owe', async () => {
    const site = join(folder, 'site.yml')
    const text = `- name: ${folder}\n  force_handlers: false\n${readFileSync(site, 'utf8').replace('- hosts', '  hosts')}`
    writeFileSync(site, text)
    expect((await msingi('apply', 'site.yml', '-i', 'hosts.yml', '-l', 'bad')).code).toBe(1)
    expect(existsSync(join(folder, 'told'))).toBe(false)
    writeFileSync(site, text.replace('{{ source }}', folder))

    expect((await msingi('apply', '--resume')).code).toBe(0)
    expect(readFileSync(join(folder, 'told'), 'utf8')).toBe('bad\n')
  })

  test('is refused where nothing was left unfinished', async () => {
    expect((await msingi('apply', '--resume')).code).toBe(4)
  })
})
