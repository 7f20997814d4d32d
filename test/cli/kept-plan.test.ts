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
  folder = mkdtempSync(join(tmpdir(), 'msingi-kept-'))
  writeFileSync(join(folder, 'hosts.yml'), 'all:\n  hosts:\n    me: {ansible_connection: local}\n')
  writeFileSync(
    join(folder, 'site.yml'),
    `- hosts: all\n  tasks:\n    - {name: one, copy: {content: "1", dest: ${folder}/one}}\n    - {name: two, copy: {content: "2", dest: ${folder}/two}}\n`,
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

const plan = () => msingi('plan', 'site.yml', '-i', 'hosts.yml', '-o', 'plan.json')

describe('a kept plan', { timeout: 60_000 }, () => {
  test('is applied as it was made', async () => {
    expect((await plan()).code).toBe(2)

    expect((await msingi('apply', 'plan.json')).code).toBe(0)
    expect(readFileSync(join(folder, 'one'), 'utf8')).toBe('1')
  })

  test('is refused where a host has moved; with --partial the rest is done', async () => {
    await plan()
    writeFileSync(join(folder, 'one'), 'by hand')

    expect((await msingi('apply', 'plan.json')).code).toBe(1)
    expect(existsSync(join(folder, 'two'))).toBe(false)

    expect((await msingi('apply', 'plan.json', '--partial')).code).toBe(1)
    expect(readFileSync(join(folder, 'one'), 'utf8')).toBe('by hand')
    expect(readFileSync(join(folder, 'two'), 'utf8')).toBe('2')
  })

  test('is refused where the project has changed, or the file is no plan', async () => {
    await plan()
    writeFileSync(join(folder, 'site.yml'), `${readFileSync(join(folder, 'site.yml'), 'utf8')}\n# later\n`)
    writeFileSync(join(folder, 'other.json'), '{}')

    expect((await msingi('apply', 'plan.json')).code).toBe(4)
    expect((await msingi('apply', 'other.json')).code).toBe(4)
    expect((await msingi('apply', 'none.json')).code).toBe(4)
  })
})
