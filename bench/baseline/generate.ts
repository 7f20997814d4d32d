import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { floorScript } from './floor.ts'
import { playbook } from './playbook.ts'
import { FILES, TEMPLATE, UNITS } from './tasks.ts'
import { verifyScript } from './verify.ts'

export interface Baseline {
  /** The fifty tasks in plain Ansible syntax. */
  readonly playbook: string
  /** The same as one hand-written, idempotent shell script. */
  readonly floor: string
  /** Checks the end state on a host as root; prints `verify-ok`. */
  readonly verify: string
}

/** Writes the playbook with its sources, the script and the check into a folder; returns their paths. */
export function writeBaseline(folder: string): Baseline {
  for (const { source, content } of [...FILES, ...UNITS]) write(join(folder, 'spec/files', source), content)
  write(join(folder, 'spec/templates/app.conf.j2'), TEMPLATE)
  return {
    playbook: write(join(folder, 'playbook.yml'), playbook()),
    floor: write(join(folder, 'floor.sh'), floorScript(), 0o755),
    verify: write(join(folder, 'verify-host.sh'), verifyScript(), 0o755),
  }
}

function write(path: string, content: string, mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}
