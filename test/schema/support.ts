import { Ajv, type ValidateFunction } from 'ajv'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../support/source-tree.ts'

const FILES = ['modules', 'tasks', 'handlers', 'playbook', 'role', 'inventory'] as const
type Name = (typeof FILES)[number]

const ajv = new Ajv({ strict: true, strictRequired: false, strictTypes: false, inlineRefs: false })
for (const name of FILES) ajv.addSchema(readSchema(name), `${name}.json`)

/** Returns why the YAML text is not what the schema describes, or nothing. */
export function faults(name: Name, text: string): readonly string[] {
  return faultsOf(name, parse(text))
}

/** The same for what a YAML text stands for. */
export function faultsOf(name: Name, data: unknown): readonly string[] {
  const validate = ajv.getSchema(`${name}.json`) as ValidateFunction
  if (validate(data)) return []
  return (validate.errors ?? []).map(error => `${error.instancePath} ${error.message ?? ''}`)
}

/** Returns a judge of one schema that stands alone. */
export function judgeOf(schema: object): (data: unknown) => boolean {
  const validate = ajv.compile(schema)
  return data => validate(data)
}

function readSchema(name: Name): object {
  return JSON.parse(readFileSync(join(ROOT, 'schema', `${name}.json`), 'utf8')) as object
}
