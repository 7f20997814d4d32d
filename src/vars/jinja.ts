/** A piece of Jinja found in a text, and what to write instead. */
export interface Lookalike {
  readonly offset: number
  readonly length: number
  readonly message: string
  readonly hint: string
}

const STATEMENTS: Readonly<Record<string, string>> = {
  if: 'write `{{#if x}}…{{else}}…{{/if}}`',
  elif: 'write `{{else if x}}`',
  else: 'write `{{else}}`',
  endif: 'write `{{/if}}`',
  for: 'write `{{#each list as |item|}}…{{/each}}`',
  endfor: 'write `{{/each}}`',
  set: 'set the variable under `vars:` instead',
  include: 'write the text here, or render the parts as files of their own',
  extends: 'write the text here, or render the parts as files of their own',
  import: 'write the text here; functions are listed in `docs/functions.md`',
  block: 'write the text here, or render the parts as files of their own',
  macro: 'write the text with `{{#each}}` instead',
  raw: 'write `{{{{raw}}}}…{{{{/raw}}}}`',
  endraw: 'write `{{{{/raw}}}}`',
}

/** Returns the first Jinja statement or comment of a text, which Handlebars would leave standing as it is. */
export function jinjaStatement(text: string): Lookalike | undefined {
  if (!text.includes('{%') && !text.includes('{#')) return undefined
  const statement = /\{%[-+]?\s*([a-z]+)\b[^%]*%\}/.exec(text)
  const hint = STATEMENTS[statement?.[1] ?? '']
  if (statement && hint !== undefined) {
    const message = `\`{% ${statement[1] ?? ''} %}\` is Jinja, texts are Handlebars`
    return { offset: statement.index, length: statement[0].length, message, hint }
  }
  const comment = /(?<![${])\{#[-\s][^]*?[-\s]#\}/.exec(text)
  if (!comment) return undefined
  const message = '`{# #}` is a Jinja comment, texts are Handlebars'
  return { offset: comment.index, length: comment[0].length, message, hint: 'write `{{!-- … --}}`' }
}

type Rule = readonly [pattern: RegExp, hint: (match: RegExpExecArray) => string]

const IN_TEXT: readonly Rule[] = [
  [/^\s*([\w.]+)\s*\|\s*default\(([^)]*)\)/, m => `write \`{{default ${m[1]} ${m[2]?.trim()}}}\``],
  [/^\s*([\w.]+)\s*\|\s*(\w+)\(([^)]+)\)/, m => `write \`{{${m[2]} ${m[1]} ${m[3]?.replaceAll(',', '')}}}\``],
  [/^\s*([\w.]+)\s*\|\s*(\w+)/, m => `write \`{{${m[2]} ${m[1]}}}\``],
  [/^\s*([\w.]+)\[(\d+)\]/, m => `write \`{{${m[1]}.[${m[2]}]}}\``],
  [/^\s*([\w.]+)\[['"]([^'"]+)['"]\]/, m => `write \`{{${m[1]}.[${m[2]}]}}\``],
  [/^\s*([\w.]+)\.(\d+)\s*$/, m => `write \`{{${m[1]}.[${m[2]}]}}\``],
  [/^\s*(.+?)\s+if\s+(\S+)\s+else\s+(.+?)\s*$/, m => `write \`{{ternary ${m[2]} ${m[1]} ${m[3]}}}\``],
  [/^\s*(\S+)\s+(and|or)\s+(\S+)\s*$/, m => `write \`{{${m[2]} ${m[1]} ${m[3]}}}\``],
  [/^\s*(\S+)\s+in\s+(\S+)\s*$/, m => `write \`{{contains ${m[2]} ${m[1]}}}\``],
  [/^\s*(\S+)\s*~\s*(\S+)/, () => 'put the values side by side: `{{a}}{{b}}`'],
  [/^\s*(\S+)\s*([-+*/])\s*(\S+)/, m => `write \`{{${OPERATORS[m[2] ?? '']} ${m[1]} ${m[3]}}}\``],
  [/^\s*(\S+)\s*([=!]=|[<>]=?)\s*(\S+)/, m => `write \`{{${OPERATORS[m[2] ?? '']} ${m[1]} ${m[3]}}}\``],
  [/^\s*lookup\(/, () => 'put the value into a variable; texts read no files and no environment'],
  [/^\s*(\w+)\(([^)]*)\)/, m => `write \`{{${m[1]} ${m[2]?.replaceAll(',', '')}}}\``],
  [/^\s*\.\w/, () => 'write `\\{{` where the text shall keep its braces'],
]

const OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
}

/** Returns what to write instead of the expression around the offset, or undefined where nothing comes to mind. */
export function templateHint(text: string, offset: number): string | undefined {
  const open = text.lastIndexOf('{{', offset + 1)
  if (open < 0) return undefined
  const inside = /^\{\{\{?~?[#^]?([^}]*)/.exec(text.slice(open))?.[1] ?? ''
  return firstHint(IN_TEXT, inside)
}

const IN_CONDITION: readonly Rule[] = [
  [/\{\{\s*([^}]*?)\s*\}\}/, m => `write \`${m[1]}\`: a condition needs no braces`],
  [/([\w.[\]]+)\s+is\s+not\s+defined\b/, m => `write \`!defined(${m[1]})\``],
  [/([\w.[\]]+)\s+is\s+undefined\b/, m => `write \`!defined(${m[1]})\``],
  [/([\w.[\]]+)\s+is\s+defined\b/, m => `write \`defined(${m[1]})\``],
  [/([\w.[\]]+)\s+is\s+not\s+(changed|failed|skipped)\b/, m => `write \`!${m[1]}.${m[2]}\``],
  [/([\w.[\]]+)\s+is\s+(changed|failed|skipped)\b/, m => `write \`${m[1]}.${m[2]}\``],
  [/([\w.[\]]+)\s+is\s+(succeeded|success)\b/, m => `write \`!${m[1]}.failed\``],
  [/([\w.[\]]+)\s+is\s+(?:match|search)\s*\(([^)]*)\)/, m => `write \`${m[1]}.matches(${m[2]})\``],
  [
    /([\w.[\]]+)\s+is\s+version\s*\(\s*([^,)]+),\s*['"]([^'"]+)['"]/,
    m => `write \`version(${m[1]}, '${m[3]}', ${m[2]})\``,
  ],
  [/([\w.[\]]+)\s+is\s+not\s+none\b/i, m => `write \`${m[1]} != null\``],
  [/([\w.[\]]+)\s+is\s+none\b/i, m => `write \`${m[1]} == null\``],
  [/(\S+)\s+not\s+in\s+(\S+)/, m => `write \`!(${m[1]} in ${m[2]})\``],
  [/([\w.[\]]+)\s*\|\s*(?:length|count)\b/, m => `write \`size(${m[1]})\``],
  [/([\w.[\]]+)\s*\|\s*default\(([^)]*)\)/, m => `write \`default(${m[1]}, ${m[2]})\``],
  [/([\w.[\]]+)\s*\|\s*(\w+)\(([^)]+)\)/, m => `write \`${m[2]}(${m[1]}, ${m[3]})\``],
  [/([\w.[\]]+)\s*\|\s*(\w+)/, m => `write \`${m[2]}(${m[1]})\``],
  [/\S\s+and\s+\S/, () => 'write `&&`'],
  [/\S\s+or\s+\S/, () => 'write `||`'],
  [/\bnot\s+([\w.[\](]+)/, m => `write \`!${m[1]}\``],
  [/(.+?)\s+if\s+(.+?)\s+else\s+(.+)/, m => `write \`${m[2]} ? ${m[1]} : ${m[3]}\``],
  [/\S\s*~\s*\S/, () => 'write `+`'],
  [/[^=!<>]=[^=]/, () => 'write `==`'],
]

/** Returns what to write instead of a condition that CEL does not read, or undefined where nothing comes to mind. */
export function conditionHint(text: string): string | undefined {
  return firstHint(IN_CONDITION, text)
}

/** Words of Python and of YAML 1.1, as CEL spells them. */
export const PYTHON_WORDS: ReadonlyMap<string, string> = new Map([
  ['True', 'true'],
  ['False', 'false'],
  ['None', 'null'],
  ['yes', 'true'],
  ['no', 'false'],
])

function firstHint(rules: readonly Rule[], text: string): string | undefined {
  for (const [pattern, hint] of rules) {
    const match = pattern.exec(text.slice(0, 2000))
    if (match) return hint(match)
  }
  return undefined
}
