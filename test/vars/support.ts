import { expect } from 'vitest'
import { SourceError } from '../../src/base/error.ts'
import type { Node, ScalarNode } from '../../src/syntax/node.ts'
import { parseYaml } from '../../src/syntax/parse.ts'
import type { Layer, Level } from '../../src/vars/scope.ts'
import { Scope } from '../../src/vars/scope.ts'

/** Parses YAML that must be sound. */
export function yaml(text: string, file = 'test.yml'): Node {
  const node = parseYaml(text, file, problem => {
    throw problem
  })
  if (!node) throw new Error('the text is empty')
  return node
}

/** A scalar as it stands in `key: …`; columns count from the start of that line, so the value begins at 6. */
export function scalar(text: string): ScalarNode {
  const node = yaml(`key: ${text}`)
  const value = node.kind === 'map' ? node.entries[0]?.value : undefined
  if (value?.kind !== 'scalar') throw new Error('not a scalar')
  return value
}

export function layer(level: Level, text: string, origin: string = level): Layer {
  const vars = yaml(text, `${level.replace(' ', '-')}.yml`)
  if (vars.kind !== 'map') throw new Error('not a map')
  return { level, origin, vars }
}

export interface Given {
  readonly layers?: readonly Layer[]
  readonly host?: Readonly<Record<string, unknown>>
  readonly local?: Readonly<Record<string, unknown>>
}

export function scopeOf({ layers = [], host = {}, local = {} }: Given = {}): Scope {
  return new Scope({
    layers,
    hostData: new Map(Object.entries(host)),
    localData: new Map(Object.entries(local)),
  })
}

/** Returns `CODE line:col+length` of the error that the function throws. */
export function problemOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof SourceError) return shown(error)
    throw error
  }
  expect.fail('nothing was wrong')
}

export function shown({ code, at }: SourceError): string {
  return `${code} ${at.line}:${at.col}+${at.length}`
}
