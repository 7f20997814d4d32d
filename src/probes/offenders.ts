import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { chmodWord, resolveMode } from './mode.ts'
import { probeOf, type Family } from './probe.ts'
import { treeRead } from './resources.ts'

/** What everything below a folder should be like. */
export interface TreeWish {
  readonly path: string
  readonly mode?: string | undefined
  readonly owner?: string | undefined
  readonly group?: string | undefined
}

/** How many offenders are named. */
const NAMED = 20
const END = '//'

/**
 * Asks which things below a folder are not as wished: one `find` a folder, which prints only those. At most 21 are told:
 * what matters is whether there are any. Symbolic links are not followed, and only their owner counts.
 */
export const offendersFamily: Family<TreeWish, readonly string[]> = {
  name: 'offenders',
  key: ({ path, mode = '', owner = '', group = '' }) => `${mode}|${owner}|${group} ${path}`,
  reads: ({ path }) => treeRead(path),
  deadline: 300,
  script: wishes =>
    lines(
      ...wishes.map(
        wish =>
          sh`if [ -d ${wish.path} ]; then { ${findScript(wish, sh`-print`)}; } | head -n ${NAMED + 1}; fi; echo ${END}`,
      ),
    ),
  parse: parseOffenders,
}

/** Asks what below the folder is not as wished. */
export const offenders = probeOf(offendersFamily)

/** Returns whether it can be told without touching a file what such a mode would alter: `g=u` cannot. */
export function isRecursable(mode: string): boolean {
  return /^[0-7]+$/.test(mode) || CLASSES.every(one => modeTest(mode, one) !== undefined)
}

/** Returns the script that makes everything below the folder as wished. */
export function repairScript(wish: TreeWish): Sh {
  const owner = `${wish.owner ?? ''}${wish.group === undefined ? '' : `:${wish.group}`}`
  return lines(
    owner !== '' &&
      sh`${findScript({ ...wish, mode: undefined }, sh`-exec chown -h -- ${owner} {} +`)} || exit`,
    wish.mode !== undefined &&
      sh`${findScript({ path: wish.path, mode: wish.mode }, sh`-exec chmod -- ${chmodWord(wish.mode)} {} +`)} || exit`,
  )
}

/** An account that does not exist yet owns nothing: then everything offends. */
function findScript({ path, mode, owner, group }: TreeWish, then: Sh): Sh {
  return lines(
    sh`set -- ! -name '*'`,
    owner !== undefined && accountTest(sh`-user`, owner),
    group !== undefined && accountTest(sh`-group`, group),
    ...(mode === undefined ? [] : modeTests(mode).map(test => sh`set -- "$@" -o ${test}`)),
    sh`find -H ${path} -mindepth 1 \\( "$@" \\) ${then}`,
  )
}

function accountTest(test: Sh, name: string): Sh {
  return sh`if find / -prune ${test} ${name} >/dev/null 2>&1; then set -- "$@" -o ! ${test} ${name}; else set -- "$@" -o -name '*'; fi`
}

interface ModeClass {
  readonly test: Sh
  readonly isDirectory: boolean
  readonly has: (bits: number) => boolean
}

/** `X` asks whether it is a folder and whether anybody may execute it; within each of these, a mode is a plain mask. */
const CLASSES: readonly ModeClass[] = [
  { test: sh`-type d`, isDirectory: true, has: () => true },
  { test: sh`! -type d ! -type l -perm /111`, isDirectory: false, has: bits => (bits & 0o111) !== 0 },
  { test: sh`! -type d ! -type l ! -perm /111`, isDirectory: false, has: bits => (bits & 0o111) === 0 },
]

function modeTests(mode: string): readonly Sh[] {
  if (/^[0-7]+$/.test(mode)) return [sh`! -type l ! -perm ${mode.slice(-4).padStart(4, '0')}`]
  return CLASSES.map(one => sh`${one.test} ${modeTest(mode, one) ?? sh`-name '*'`}`)
}

const known = new Map<string, Sh | undefined>()

/** Returns the test for things of the class that the mode would alter, or undefined where no mask describes them. */
function modeTest(mode: string, one: ModeClass): Sh | undefined {
  const key = `${one.test.text} ${mode}`
  if (!known.has(key)) known.set(key, findMask(mode, one))
  return known.get(key)
}

/** Tries all modes: those that stay as they are must be the ones with some bits set and others clear. */
function findMask(mode: string, { isDirectory, has }: ModeClass): Sh | undefined {
  const all = Array.from({ length: 0o10000 }, (_, bits) => bits).filter(has)
  const stays = (bits: number): boolean => {
    const now = bits.toString(8).padStart(4, '0')
    return resolveMode(mode, { mode: now, isDirectory }) === now
  }
  const fixed = all.filter(stays)
  if (fixed.length === 0) return sh`-name '*'`
  const ones = fixed.reduce((mask, bits) => mask & bits, 0o7777)
  const zeros = fixed.reduce((mask, bits) => mask & ~bits, 0o7777)
  const matching = all.filter(bits => (bits & ones) === ones && (bits & zeros) === 0)
  if (matching.length !== fixed.length) return undefined
  const octal = (mask: number): string => mask.toString(8).padStart(4, '0')
  const hasZeros = zeros === 0 ? sh`! -name '*'` : sh`-perm ${`/${octal(zeros)}`}`
  return sh`\\( ! -perm ${`-${octal(ones)}`} -o ${hasZeros} \\)`
}

function parseOffenders(answer: Completed, wishes: readonly TreeWish[]): readonly (readonly string[])[] {
  const complaint = answer.err.trim()
  if (answer.code !== 0 || complaint !== '') {
    throw new TaskError('PROBE_UNREADABLE', `find ended with status ${answer.code}: ${complaint}`)
  }
  const blocks = answer.out.split(`${END}\n`)
  if (blocks.pop() !== '' || blocks.length !== wishes.length) {
    throw new TaskError(
      'PROBE_UNREADABLE',
      `expected ${wishes.length} answers of find, found ${blocks.length}`,
    )
  }
  return blocks.map(block => block.split('\n').filter(line => line !== ''))
}
