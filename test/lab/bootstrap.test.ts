import { expect, test } from 'vitest'
import { bootstrap } from '../../src/lab/bootstrap.ts'

const recipe = { suite: 'trixie', packages: ['sudo', 'curl'], without: ['man'], setup: '/x/setup.sh' }

test('what a system is made with is mounted for the program that makes it alone', () => {
  const words = bootstrap(recipe, '/x/tree')
  const made = words.slice(words.indexOf('mmdebstrap'))

  expect(words.slice(0, words.indexOf('mmdebstrap'))).toEqual(
    process.getuid?.() === 0 ? ['unshare', '--mount', '--propagation', 'private'] : [],
  )
  expect(made).toContain('--include=sudo,curl')
  expect(made).toContain('--dpkgopt=path-exclude=/usr/share/man/*')
  expect(made.slice(-2)).toEqual(['trixie', '/x/tree'])
})
