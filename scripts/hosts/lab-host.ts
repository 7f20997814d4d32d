import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface LabHost {
  readonly lab: string
  readonly name: string
}

/** Runs a script as root on a host of a lab, gives it the input, and returns what it printed; a failed script is an error. */
export async function onHost(
  { lab, name }: LabHost,
  script: string,
  input: Buffer | string = '',
): Promise<string> {
  const words = [
    'bin/msingi.js',
    'lab',
    'ssh',
    '--lab',
    lab,
    name,
    '--',
    'sudo',
    'sh',
    '-c',
    `'${script.replaceAll("'", `'\\''`)}'`,
  ]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  const ended = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 1)))
  const out = await text(child.stdout)
  const code = await ended
  if (code !== 0) throw new Error(`exit ${code} of \`${script}\``)
  return out
}
