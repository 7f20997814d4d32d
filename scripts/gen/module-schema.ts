import { z } from 'zod'
import type { AnyModule, Input } from '../../src/modules/module.ts'
import type { JsonSchema } from '../../src/playbook/shape.ts'

/** Text with a template, which may stand in the place of any value. */
export const TEMPLATE: JsonSchema = { type: 'string', pattern: String.raw`\{\{` }

/** Returns the JSON Schema of a module's parameters; every value may also be a template. */
export function schemaOf(module: AnyModule): JsonSchema {
  const { $schema: _, ...schema } = paramsSchema(module)
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [
    name,
    typeof property === 'object' ? ofParameter(property as JsonSchema, module.inputs?.[name]) : property,
  ])
  return { ...schema, description: module.summary, properties: Object.fromEntries(properties) }
}

/** Returns the JSON Schema of a module's parameters as the module sees them. */
export function paramsSchema(module: AnyModule) {
  return z.toJSONSchema(module.params, { io: 'input', unrepresentable: 'any', target: 'draft-7' })
}

function ofParameter({ description, ...schema }: JsonSchema, input: Input | undefined): JsonSchema {
  if (input === 'condition') return { description, type: ['string', 'boolean', 'array'] }
  if (input === 'variable') return { description }
  if (input !== undefined) return { description, type: 'string' }
  return { description, ...orTemplate(schema) }
}

/** Returns the schema with templates allowed in the place of it and of everything inside. */
function orTemplate(schema: JsonSchema): JsonSchema {
  const inner = withInner(schema)
  return takesAnyText(inner) ? inner : { anyOf: [inner, TEMPLATE] }
}

const LISTS = ['anyOf', 'oneOf', 'allOf'] as const

/** Names of formats that only zod knows mean nothing to an editor; their patterns stay. */
function withInner({ format: _, ...schema }: JsonSchema): JsonSchema {
  const changed: Record<string, unknown> = { ...schema }
  for (const key of LISTS) {
    const choices = schema[key]
    if (Array.isArray(choices)) changed[key] = choices.map(choice => withInner(choice as JsonSchema))
  }
  for (const key of ['items', 'additionalProperties']) {
    const inner = schema[key]
    if (isSchema(inner)) changed[key] = orTemplate(inner)
  }
  if (isSchema(schema['properties'])) {
    const properties = Object.entries(schema['properties']).map(([name, inner]) => [
      name,
      isSchema(inner) ? orTemplate(inner) : inner,
    ])
    changed['properties'] = Object.fromEntries(properties)
  }
  return changed
}

/** Tells whether the schema lets every text pass, so that it need not name templates as well. */
function takesAnyText(schema: JsonSchema): boolean {
  const choices = schema['anyOf']
  if (Array.isArray(choices)) return choices.some(choice => takesAnyText(choice as JsonSchema))
  const keys = Object.keys(schema).filter(key => key !== 'description' && key !== 'default')
  return keys.length === 0 || (keys.length === 1 && schema['type'] === 'string')
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
