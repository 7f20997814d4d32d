import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MASK, Redactor, Secret } from '../../src/base/secret.ts'

const VALUE = `s3cr&t 'quoted' "both" <x> 100% $HOME \\ ü/+~`

/** Ways in which programs and formats spell a text, each made by somebody else than the redactor. */
const SPELLINGS: Readonly<Record<string, (value: string) => string>> = {
  'as it is': value => value,
  'base64 at the beginning': value => Buffer.from(`${value} and more`).toString('base64'),
  'base64 one byte in': value => Buffer.from(`x${value} and more`).toString('base64'),
  'base64 two bytes in': value => Buffer.from(`xy${value}z`).toString('base64'),
  'base64 of URLs': value => Buffer.from(`x${value}`).toString('base64url'),
  'base64 in lines': value => shell('base64', value.repeat(5)),
  hexadecimal: value => Buffer.from(value).toString('hex'),
  'hexadecimal in capitals': value => Buffer.from(value).toString('hex').toUpperCase(),
  URL: value => encodeURIComponent(value),
  form: value => new URLSearchParams({ a: value }).toString(),
  JSON: value => JSON.stringify({ a: value }),
  'JSON in JSON': value => JSON.stringify(JSON.stringify({ a: value })),
  'what a shell that traces prints': value => shell('set -x; : "$(cat)" 2>&1', value, 2),
  'printf %q of bash': value => shell('bash -c \'printf %q "$(cat)"\'', value),
  XML: value =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  'YAML in single quotes': value => `'${value.replaceAll("'", "''")}'`,
}

function shell(script: string, input: string, stream = 1): string {
  return execFileSync('sh', ['-c', stream === 2 ? `{ ${script}; } 2>&1` : script], {
    input,
    encoding: 'utf8',
  })
}

describe('masking', () => {
  test.each(Object.entries(SPELLINGS))('hides a secret spelt as: %s', (_, spell) => {
    const value = VALUE.replace('ü', 'u')
    const redactor = new Redactor()
    redactor.add(new Secret(spell === SPELLINGS['base64 in lines'] ? value.repeat(5) : value))

    const shown = redactor.mask(`before ${spell(value)} after`)

    expect(shown).toContain(MASK)
    expect(spell(value).length - shown.length).toBeGreaterThan(value.length / 2)
  })

  test('hides every value that is not too short, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, unit: 'binary' }),
        fc.string(),
        fc.string(),
        (value, before, after) => {
          fc.pre(value.trim().length >= 8 && value.isWellFormed())
          const redactor = new Redactor()
          redactor.add(new Secret(value))

          expect(redactor.mask(before + value + after)).not.toContain(value)
          expect(redactor.mask(JSON.stringify(value))).not.toContain(JSON.stringify(value).slice(1, -1))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('hides what was put into a text, not the lines around it', () => {
    const redactor = new Redactor()
    const word = new Secret('hunter2-hunter2')

    redactor.add(new Secret('[Service]\nType=simple\nPassword=hunter2-hunter2\n', [word]))

    expect(redactor.mask('Type=simple and Password=hunter2-hunter2')).toBe(`Type=simple and Password=${MASK}`)
  })

  test('takes no short line of a long secret for one', () => {
    const redactor = new Redactor()

    redactor.add(new Secret('url = "http://me:hunter2@a/"\nfail\nsilent\n'))

    expect(redactor.mask('it failed silently: url = "http://me:hunter2@a/"')).toBe(
      `it failed silently: ${MASK}`,
    )
  })

  test('shows changes of secrets by a digest that differs from run to run', () => {
    const change = { before: new Secret('one'), after: new Secret('two') }
    const [first, second] = [new Redactor(), new Redactor()]

    const shown = first.maskDeep({ ...change, same: { before: new Secret('one') } })

    expect(shown.before).toEqual(shown.same.before)
    expect(shown.before).not.toEqual(shown.after)
    expect(JSON.stringify(shown)).not.toMatch(/"(?:one|two)"/)
    expect(second.maskDeep(change).before).not.toEqual(shown.before)
  })
})
