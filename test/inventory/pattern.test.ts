import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SourceError, UsageError } from '../../src/base/error.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { hostNamed, type Inventory } from '../../src/inventory/model.ts'
import { matchHosts } from '../../src/inventory/pattern.ts'
import { expandHosts } from '../../src/inventory/range.ts'
import { limitHosts, playHosts } from '../../src/inventory/select.ts'
import { openSources } from '../../src/syntax/files.ts'
import { parseYaml } from '../../src/syntax/parse.ts'

const inventory = load(`
all:
  children:
    web: { hosts: { 'w[1:4]': } }
    db: { hosts: { d1: , d2: , '[2001:db8::5]': } }
    prod: { children: { web: } }
    canary: { hosts: [w1, d1] }
    empty: {}
`)

function load(text: string): Inventory {
  const problems: SourceError[] = []
  const sources = openSources()
  const found = loadInventory(['inv.yml'], { ...sources, ...memory(text) }, problem => problems.push(problem))
  expect(problems).toEqual([])
  return found
}

function memory(text: string): Pick<ReturnType<typeof openSources>, 'read' | 'parse' | 'kindOf'> {
  return {
    read: () => text,
    parse: (file, onProblem) => parseYaml(text, file, onProblem),
    kindOf: path => (path === 'inv.yml' ? 'file' : undefined),
  }
}

describe('inventory/pattern', () => {
  test.each([
    ['all', 'w1 w2 w3 w4 d1 d2 2001:db8::5'],
    ['*', 'w1 w2 w3 w4 d1 d2 2001:db8::5'],
    ['web', 'w1 w2 w3 w4'],
    ['prod', 'w1 w2 w3 w4'],
    ['d2', 'd2'],
    ['db:web', 'd1 d2 2001:db8::5 w1 w2 w3 w4'],
    ['db,web', 'd1 d2 2001:db8::5 w1 w2 w3 w4'],
    ['d2, w1', 'd2 w1'],
    ['web:&canary', 'w1'],
    ['web:!canary', 'w2 w3 w4'],
    ['!web', 'd1 d2 2001:db8::5'],
    ['&canary', 'w1 d1'],
    ['!canary:web', 'w2 w3 w4'],
    ['all:!web:&canary', 'd1'],
    ['w*', 'w1 w2 w3 w4'],
    ['w[12]', ''],
    ['w[1-2]', 'w1 w2'],
    ['w?', 'w1 w2 w3 w4'],
    ['d?,w1', 'd1 d2 2001:db8::5 w1'],
    ['~w[13]', 'w1 w3'],
    ['~(w|d)2', 'w2 d2'],
    ['~(?:w|d):\\d', ''],
    ['web[0]', 'w1'],
    ['web[-1]', 'w4'],
    ['web[1:2]', 'w2 w3'],
    ['web[2:]', 'w3 w4'],
    ['web[9]', ''],
    ['w*[0]', 'w1'],
    ['2001:db8::5', '2001:db8::5'],
    ['[2001:db8::5]', '2001:db8::5'],
    ['w1,[2001:db8::5]', 'w1 2001:db8::5'],
    ['db:![2001:db8::5]', 'd1 d2'],
    ['localhost', 'localhost'],
    ['empty', ''],
    ['', ''],
    [' , ', ''],
  ])('%j chooses %j', (pattern, expected) => {
    const { hosts, problem } = matchHosts(pattern, inventory)

    expect(hosts.join(' ')).toBe(expected)
    expect(problem?.code).toBe(expected === '' ? 'NO_HOSTS' : undefined)
  })

  test.each([
    ['wbe', 'NO_HOSTS', 0, 'did you mean `web`?'],
    ['web:dbb', 'NO_HOSTS', 4, 'did you mean `db`?'],
    ['web:!cannary', 'NO_HOSTS', 5, 'did you mean `canary`?'],
    ['web,~(', 'BAD_PATTERN', 4, expect.any(String)],
    ['w[z-a]', 'BAD_PATTERN', 0, expect.any(String)],
    ['all:!localhost', 'NO_HOSTS', 5, undefined],
  ])('%j is %s at %i', (pattern, code, offset, hint) => {
    const { hosts, problem } = matchHosts(pattern, inventory)

    expect(hosts).toEqual([])
    expect(problem).toMatchObject({ code, offset, hint })
  })

  test('localhost is there without an inventory naming it, over a local connection', () => {
    expect(inventory.hosts.has('localhost')).toBe(false)
    expect(hostNamed(inventory, 'localhost')?.reach.connection).toBe('local')
    expect(hostNamed(inventory, 'w1')?.name).toBe('w1')
    expect(hostNamed(inventory, 'none')).toBeUndefined()
  })

  test('no text makes it throw', () => {
    const piece = fc.constantFrom(
      'web',
      'w1',
      '*',
      '?',
      '[',
      ']',
      '(',
      ')',
      '~',
      ':',
      ',',
      '!',
      '&',
      '0',
      '-1',
      '::1',
      '\\',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
        const { hosts, problem } = matchHosts(pieces.join(''), inventory)
        expect(hosts.length > 0).toBe(problem === undefined)
      }),
      { numRuns: 500 },
    )
  })
})

describe('inventory/select', () => {
  test('hosts of a play: what is wrong is told at its place', () => {
    const node = parseYaml("- web\n- 'db:wbe'\n", 'site.yml', () => undefined)
    const problems: SourceError[] = []

    const hosts = node && playHosts(node, inventory, problem => problems.push(problem))

    expect(hosts).toEqual(['w1', 'w2', 'w3', 'w4'])
    expect(problems.map(({ code, at }) => [code, at.line, at.col, at.length])).toEqual([
      ['NO_HOSTS', 2, 7, 3],
    ])
  })

  test('a list of hosts may take some away', () => {
    const node = parseYaml("['web', '!canary']", 'site.yml', () => undefined)

    expect(node && playHosts(node, inventory, () => undefined)).toEqual(['w2', 'w3', 'w4'])
  })

  test('--limit takes patterns and files of patterns', () => {
    const read = (file: string): string | undefined =>
      file === 'failed' ? '# last run\nw2\n\ndb[0] # first\n' : undefined

    expect(limitHosts('web:!w1', inventory, read)).toEqual(['w2', 'w3', 'w4'])
    expect(limitHosts('@failed,w4', inventory, read)).toEqual(['w2', 'd1', 'w4'])
    expect(() => limitHosts('@none', inventory, read)).toThrow(UsageError)
    expect(() => limitHosts('nobody', inventory, read)).toThrow(UsageError)
  })
})

describe('inventory/range', () => {
  test.each([
    ['web1', ['web1'], undefined],
    ['web[08:11]', ['web08', 'web09', 'web10', 'web11'], undefined],
    ['web[8:11].x', ['web8.x', 'web9.x', 'web10.x', 'web11.x'], undefined],
    ['n[1:10:4]', ['n1', 'n5', 'n9'], undefined],
    ['[a:c]', ['a', 'b', 'c'], undefined],
    ['r[1:2]h[a:b]', ['r1ha', 'r1hb', 'r2ha', 'r2hb'], undefined],
    ['web[1:2]:2222', ['web1', 'web2'], 2222],
    ['web1:22', ['web1'], 22],
    ['::1', ['::1'], undefined],
    ['[::1]', ['::1'], undefined],
    ['[2001:db8::1]:2222', ['2001:db8::1'], 2222],
    ['fe80::1%eth0', ['fe80::1%eth0'], undefined],
  ])('%j', (text, names, port) => {
    expect(expandHosts(text)).toEqual({ names, port })
  })

  test('no text makes it throw or give too many', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c0-9:[\]\-.]{0,20}$/), text => {
        const found = expandHosts(text)
        const isBounded =
          'names' in found ? found.names.length <= 65_536 : found.offset + found.length <= text.length
        expect(isBounded).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

describe('inventory/load', () => {
  test('a list with commas is an inventory of its own', () => {
    const problems: SourceError[] = []

    const found = loadInventory(['web1,web[2:3]:2222, 10.0.0.1'], openSources(), problem =>
      problems.push(problem),
    )

    expect(problems).toEqual([])
    expect([...found.hosts.keys()]).toEqual(['web1', 'web2', 'web3', '10.0.0.1'])
    expect(found.hosts.get('web3')?.reach).toMatchObject({ host: 'web3', port: 2222 })
    expect(found.hosts.get('web1')?.groups).toEqual(['all', 'ungrouped'])
  })

  test('a wrong range in a list is told with its column', () => {
    const problems: SourceError[] = []

    loadInventory(['a,web[3:1],'], openSources(), problem => problems.push(problem))

    expect(problems.map(({ code, at }) => [code, at.file, at.col, at.length])).toEqual([
      ['BAD_RANGE', '-i', 6, 5],
    ])
  })

  test('several inventories add up', () => {
    const dir = `${import.meta.dirname}/reads-every-file-of-a-folder/hosts.yml`

    const found = loadInventory([`${dir}/a.yml`, `${dir}/b.yaml`, 'extra,'], openSources(), problem => {
      throw problem
    })

    expect([...found.hosts.keys()]).toEqual(['w1', 'w2', 'extra'])
    expect(found.groups.get('web')?.hosts).toEqual(['w1', 'w2'])
    expect(found.hosts.get('w1')?.layers.map(layer => layer.origin)).toEqual(['group web', 'group web'])
  })
})
