import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type SourceError, UsageError } from '../base/error.ts'
import { sealAge } from '../secrets/age.ts'
import { isVault } from '../secrets/ansible-vault.ts'
import { type Desk, openDesk } from '../secrets/open-desk.ts'
import { replaceFile } from '../secrets/replace-file.ts'
import { parseYaml } from '../syntax/parse.ts'
import { openKeyring } from './keys.ts'
import type { KeyFlags } from './options.ts'
import { openOf, requireRecipients } from './secrets-keys.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/**
 * Lets a person edit what is encrypted. The plain text lies in memory while the editor runs, and is overwritten in the end,
 * however the process ends, unless it is killed; then the next edit clears it away.
 *
 * @returns What became of it.
 * @throws UsageError BAD_ARGUMENT where the file is not one to edit, the editor fails, or the new text is no YAML.
 */
export async function editFile(file: string, flags: KeyFlags, env: NodeJS.ProcessEnv): Promise<string> {
  const recipients = requireRecipients()
  const before = plainOf(file, flags)
  const desk = openDesk(env)
  const release = clearedAtTheEnd(desk)
  try {
    const draft = join(desk.folder, basename(file))
    writeFileSync(draft, before, { mode: 0o600 })
    await runEditor(env, draft)
    const after = readFileSync(draft, 'utf8')
    if (after === before) return `${file} is as it was\n`
    refuseWrong(file, after)
    replaceFile(file, sealAge(after, { recipients }))
    return `${file} is written\n`
  } finally {
    desk.clear()
    release()
  }
}

function plainOf(file: string, flags: KeyFlags): string {
  if (!existsSync(file)) return ''
  const text = readFileSync(file, 'utf8')
  const keyring = openKeyring(flags, process.env)
  if (isVault(text)) {
    throw new UsageError(
      'BAD_ARGUMENT',
      `\`${file}\` is of ansible-vault, which is only read here`,
      `run \`msingi secrets encrypt ${file}\` to take it over, or edit it with ansible-vault`,
    )
  }
  if (keyring.isSealed(text)) return openOf(file, text, keyring)
  throw new UsageError(
    'BAD_ARGUMENT',
    `\`${file}\` is not encrypted as a whole`,
    `run \`msingi secrets encrypt ${file}\` first, or \`msingi secrets encrypt --name KEY\` for one value`,
  )
}

function clearedAtTheEnd(desk: Desk): () => void {
  function end(signal: NodeJS.Signals): void {
    desk.clear()
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.once(signal, end)
  process.once('exit', desk.clear)
  return () => {
    for (const signal of SIGNALS) process.off(signal, end)
    process.off('exit', desk.clear)
  }
}

async function runEditor(env: NodeJS.ProcessEnv, draft: string): Promise<void> {
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi'
  const started = spawn('sh', ['-c', `${editor} "$1"`, 'sh', draft], { stdio: 'inherit', env })
  const code = await new Promise<number | null>((resolve, reject) => {
    started.once('error', reject)
    started.once('close', resolve)
  })
  if (code === 0) return
  throw new UsageError(
    'BAD_ARGUMENT',
    `the editor \`${editor}\` ended with ${String(code)}; nothing was written`,
  )
}

function refuseWrong(file: string, text: string): void {
  if (!/\.ya?ml$/.test(file)) return
  const problems: SourceError[] = []
  parseYaml(text, file, problem => problems.push(problem))
  const [first] = problems
  if (first === undefined) return
  throw new UsageError(
    'BAD_ARGUMENT',
    `the new text is no YAML in line ${first.at.line} (${first.code}); nothing was written`,
  )
}
