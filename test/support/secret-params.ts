import { Secret } from '../../src/base/secret.ts'
import { modules } from '../../src/modules/registry.gen.ts'

/** A parameter of a module that takes a secret, or whose name sounds as if it should. */
export interface TriedParam {
  readonly module: string
  readonly param: string
  readonly takesSecret: boolean
}

/** Parameters that take anything because what is given there names something of the controller or of the run. */
const NAMES_ONLY: ReadonlySet<string> = new Set([
  'copy.src',
  'synchronize.src',
  'unarchive.src',
  'script.cmd',
  'debug.var',
])

/** Returns the parameters of all modules, tried with a secret. */
export function triedParams(): readonly TriedParam[] {
  return [...modules].flatMap(([module, { params }]) =>
    Object.entries(fieldsOf(params)).flatMap(([param, field]) =>
      NAMES_ONLY.has(`${module}.${param}`) ? [] : [{ module, param, takesSecret: takesSecret(field) }],
    ),
  )
}

/** What is asked of a schema here; the library's own types are wider. */
interface Schema {
  readonly safeParse: (value: unknown) => { readonly success: boolean; readonly data?: unknown }
  readonly _zod: {
    readonly def: {
      readonly shape?: Readonly<Record<string, Schema>>
      readonly in?: Schema
      readonly out?: Schema
      readonly innerType?: Schema
      readonly options?: readonly Schema[]
    }
  }
}

function fieldsOf(schema: unknown): Readonly<Record<string, Schema>> {
  const { shape, in: before, out, innerType, options = [] } = (schema as Schema)._zod.def
  if (shape !== undefined) return shape
  const inner = [before, out, innerType, ...options].filter(part => part !== undefined)
  return inner.reduce<Readonly<Record<string, Schema>>>((all, part) => ({ ...fieldsOf(part), ...all }), {})
}

/** A secret alone, in a list, or among the values of a map; what is parsed must still be one. */
function takesSecret(field: Schema): boolean {
  const secret = new Secret('a-word-that-nobody-sees')
  return [secret, [secret], { a: secret }].some(value => {
    const parsed = field.safeParse(value)
    return parsed.success && holdsSecret(parsed.data)
  })
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsSecret)
}
