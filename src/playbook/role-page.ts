import { plain } from '../syntax/node.ts'
import type { Item, Role, RoleParam } from './model.ts'

/** Returns the page of a role in Markdown: what it does, its parameters, how it is called, its tasks and handlers. */
export function rolePage({ name, signature, tasks, handlers }: Role): string {
  const { summary, answers, supports, params } = signature
  const parts = [
    `# ${name}`,
    summary,
    answers.length > 0 && `Answers ${listing(answers)}.`,
    supports.length > 0 && `Made for ${listing(supports)}.`,
    '## Parameters',
    params.length > 0 ? paramTable(params) : 'None.',
    '## Call',
    `\`\`\`yaml\n${call(name, params)}\n\`\`\``,
    '## Tasks',
    bullets(tasks.flatMap(namesOf)),
    handlers.length > 0 && `## Handlers\n\n${bullets(handlers.flatMap(namesOf))}`,
  ]
  return `${parts.filter(part => part !== false).join('\n\n')}\n`
}

function paramTable(params: readonly RoleParam[]): string {
  const rows = params.map(param => {
    const cells = [`\`${param.name}\``, param.type, initialOf(param), `${param.describe}${limitsOf(param)}`]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  return ['| parameter | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function initialOf({ required, default: node, defaultFile: file, generate }: RoleParam): string {
  if (required) return '**required**'
  if (generate) return 'made once'
  if (file !== undefined) return `from \`${file}\``
  const value = node && plain(node)
  return value === undefined || value === null ? '' : `\`${JSON.stringify(value)}\``
}

function limitsOf({ choices, min, max, merge, secret }: RoleParam): string {
  const limits = [
    choices && `One of ${choices.map(choice => `\`${String(choice)}\``).join(', ')}.`,
    min !== undefined && max !== undefined && `From ${min} to ${max}.`,
    min !== undefined && max === undefined && `At least ${min}.`,
    min === undefined && max !== undefined && `At most ${max}.`,
    merge && 'Put together from all places that set it.',
    secret && 'A secret.',
  ]
  return limits.flatMap(limit => (limit ? [` ${limit}`] : [])).join('')
}

function call(name: string, params: readonly RoleParam[]): string {
  const needed = params.filter(param => param.required)
  if (needed.length === 0) return `roles:\n  - ${name}`
  return [`roles:`, `  - role: ${name}`, ...needed.map(param => `    ${param.name}: …`)].join('\n')
}

function namesOf(item: Item): readonly string[] {
  if (item.kind !== 'block')
    return [item.name?.text ?? (item.kind === 'task' ? item.module : `${item.key} ${item.target.text}`)]
  const inside = [...item.body, ...item.rescue, ...item.always].flatMap(namesOf)
  return item.name ? [item.name.text] : inside
}

function bullets(lines: readonly string[]): string {
  return lines.length > 0 ? lines.map(line => `- ${cell(line)}`).join('\n') : 'None.'
}

function listing(words: readonly string[]): string {
  return words.map(word => `\`${word}\``).join(', ')
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
}
