import type { Builtin, Example } from './builtin.ts'
import { signature } from './builtin.ts'
import { subjects } from './builtins.ts'

/** Returns `docs/functions.md`: every function of texts and conditions, from the table that the engine itself uses. */
export function functionsPage(): string {
  const sections = Object.entries(subjects).map(
    ([subject, functions]) => `## ${subject}\n\n${Object.entries(functions).map(entry).join('\n')}`,
  )
  return `${INTRODUCTION}\n${sections.join('\n')}`
}

const INTRODUCTION = `# Functions of texts and conditions

A text calls a function as \`{{upper name}}\` or \`{{join list ', '}}\`, and one inside another in brackets:
\`{{upper (first list)}}\`. Every parameter may be named: \`{{indent text width=2}}\`. A condition calls the same function as
\`upper(name)\`, parameters in order.

A parameter with \`?\` may be left out, one with \`…\` repeated. A function that is given something unknown gives something
unknown; what is worked out from a secret is a secret. No function reads files, the clock, the network or a host.

Conditions are written in [CEL](https://cel.dev) and have its functions too: \`size\`, \`int\`, \`double\`, \`string\`, \`bool\`,
\`type\`, \`timestamp\`, \`duration\`, \`has(x.y)\`, and on values \`.startsWith\`, \`.endsWith\`, \`.contains\`, \`.matches\`, \`.split\`,
\`.join\`, \`.exists\`, \`.all\`, \`.filter\`, \`.map\`. Whether a variable exists is asked with \`defined(x)\`.
`

function entry([name, builtin]: readonly [string, Builtin]): string {
  const examples = builtin.examples.map(row).join('\n')
  return `### ${name}\n\n\`${signature(name, builtin)}\`\n\n${builtin.about}\n\n| text | condition | gives |\n| --- | --- | --- |\n${examples}\n`
}

function row({ template, cel, gives }: Example): string {
  return `| ${code(template)} | ${cel === undefined ? '' : code(cel)} | ${code(JSON.stringify(gives))} |`
}

function code(text: string): string {
  return `\`${text.replaceAll('\n', '\\n').replaceAll('|', '\\|')}\``
}
