#!/usr/bin/env node
// Plain JavaScript that an old Node can read too: it decides which Node runs the engine, then steps aside.
import { existsSync, readFileSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

const NEEDED = [22, 22]
const own = new URL('../node_modules/node/bin/node', import.meta.url)
const argv = process.argv.slice(2)

if (argv[0] === '--version' || argv[0] === '-V') {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  process.stdout.write(`${JSON.parse(text).version}\n`)
} else if (isRecent(process.versions.node)) {
  const folder = cacheFolder()
  if (isAbsolute(folder)) module.enableCompileCache(folder)
  const { main } = await import('../src/cli/main.ts')
  await main(argv)
} else if (existsSync(own)) {
  await runWith(own)
} else {
  process.stderr.write(
    `error: msingi needs Node ${NEEDED.join('.')} or later, this is ${process.version}; run \`npm ci\` in its folder, which brings one\n`,
  )
  process.exitCode = 4
}

function isRecent(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/** Compiled code is as good as code: it must not lie where others can write, as in the default, the folder for temporary files. */
function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'msingi', 'compiled')
}

async function runWith(node) {
  const { spawn } = await import('node:child_process')
  const { fileURLToPath } = await import('node:url')
  const { constants } = await import('node:os')
  const child = spawn(fileURLToPath(node), [fileURLToPath(import.meta.url), ...argv], { stdio: 'inherit' })
  // The terminal sends Ctrl-C to both; the child decides what it means. Other signals come to this process alone.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    process.stderr.write(`error: \`${fileURLToPath(node)}\` cannot be started: ${error.message}\n`)
    process.exitCode = 70
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}
