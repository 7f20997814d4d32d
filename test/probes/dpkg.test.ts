import { describe, expect, test } from 'vitest'
import { compareVersions } from '../../src/probes/dpkg.ts'

describe('probes/dpkg', () => {
  // Verdicts of `dpkg --compare-versions`.
  test.each([
    ['1.0', '1.0~rc1', 1],
    ['1:0', '2.0', 1],
    ['1.0-1', '1.0-1+b1', -1],
    ['1.10', '1.9', 1],
    ['1.0a', '1.0+', -1],
    ['2.36-9+deb12u14', '2.36-9+deb12u4', 1],
    ['1.0', '1.0-0', 0],
    ['7.88.1-10+deb12u8~x', '7.88.1-10+deb12u8', -1],
    ['1.0.4', '1.0', 1],
    ['5:27.3.1-1~debian.12~bookworm', '5:27.3.1-1~debian.12~bookworm', 0],
  ])('%s compared with %s is %i', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order)
    expect(Math.sign(compareVersions(b, a))).toBe(order === 0 ? 0 : -order)
  })
})
