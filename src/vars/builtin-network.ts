import { isIP } from 'node:net'
import type { Builtin } from './builtin.ts'
import { BadArgument, integerOf, textOf } from './builtin.ts'

/** Functions that work on addresses and networks of IPv4 and IPv6. */
export const network: Readonly<Record<string, Builtin>> = {
  is_ip: {
    params: ['text', 'family?'],
    about: 'Whether the text is an address; with 4 or 6, one of that family.',
    call: (value, family) => isAddress(textOf(value), family),
    examples: [{ template: "{{is_ip '10.0.0.1'}}", cel: "is_ip('10.0.0.1')", gives: true }],
  },
  cidr_network: {
    params: ['cidr'],
    about: 'The first address of a network.',
    call: value => start(cidr(value)),
    examples: [
      { template: "{{cidr_network '10.1.2.3/16'}}", cel: "cidr_network('10.1.2.3/16')", gives: '10.1.0.0' },
    ],
  },
  cidr_address: {
    params: ['cidr'],
    about: 'The address without its prefix length.',
    call: value => textOf(value).replace(/\/.*$/, ''),
    examples: [
      { template: "{{cidr_address '10.1.2.3/16'}}", cel: "cidr_address('10.1.2.3/16')", gives: '10.1.2.3' },
    ],
  },
  cidr_prefix: {
    params: ['cidr'],
    about: 'The prefix length of a network.',
    call: value => cidr(value).prefix,
    examples: [{ template: "{{cidr_prefix '10.1.2.3/16'}}", cel: "cidr_prefix('10.1.2.3/16')", gives: 16 }],
  },
  cidr_netmask: {
    params: ['cidr'],
    about: 'The netmask of a network.',
    call: value => netmask(cidr(value)),
    examples: [
      {
        template: "{{cidr_netmask '10.1.2.3/20'}}",
        cel: "cidr_netmask('10.1.2.3/20')",
        gives: '255.255.240.0',
      },
    ],
  },
  cidr_host: {
    params: ['cidr', 'number'],
    about: 'The address with that number inside a network; negative numbers count from its end.',
    call: (value, number) => host(cidr(value), integerOf(number)),
    examples: [
      { template: "{{cidr_host '10.1.0.0/16' 1}}", cel: "cidr_host('10.1.0.0/16', 1)", gives: '10.1.0.1' },
      { template: "{{cidr_host 'fd00::/64' -1}}", gives: 'fd00::ffff:ffff:ffff:ffff' },
    ],
  },
  cidr_contains: {
    params: ['cidr', 'address'],
    about: 'Whether an address, or all of a network, lies inside a network.',
    call: (value, address) => contains(cidr(value), cidr(address)),
    examples: [
      {
        template: "{{cidr_contains '10.1.0.0/16' '10.1.9.9'}}",
        cel: "cidr_contains('10.1.0.0/16', '10.1.9.9')",
        gives: true,
      },
    ],
  },
}

interface Cidr {
  readonly family: 4 | 6
  readonly bits: 32 | 128
  readonly address: bigint
  readonly prefix: number
}

function isAddress(text: string, family: unknown): boolean {
  const found = isIP(text)
  return family === undefined ? found !== 0 : found === integerOf(family)
}

function cidr(value: unknown): Cidr {
  const text = textOf(value)
  const [address = '', length, ...more] = text.split('/')
  const family = isIP(address)
  const isGood =
    more.length === 0 && !address.includes('%') && (length === undefined || /^\d{1,3}$/.test(length))
  if ((family !== 4 && family !== 6) || !isGood) throw new BadArgument(`\`${text}\` is no address or network`)
  const bits = family === 4 ? 32 : 128
  const prefix = length === undefined ? bits : Number(length)
  if (prefix > bits) throw new BadArgument(`\`/${prefix}\` is too long a prefix, the most is ${bits}`)
  return { family, bits, prefix, address: family === 4 ? bitsOf4(address) : bitsOf6(address) }
}

function start({ family, address, bits, prefix }: Cidr): string {
  return show(family, address & mask(bits, prefix))
}

function netmask({ family, bits, prefix }: Cidr): string {
  return show(family, mask(bits, prefix))
}

function host({ family, bits, prefix, address }: Cidr, number: number): string {
  const size = 1n << BigInt(bits - prefix)
  const offset = number < 0 ? size + BigInt(number) : BigInt(number)
  if (offset < 0n || offset >= size) throw new BadArgument(`the network has no address number ${number}`)
  return show(family, (address & mask(bits, prefix)) + offset)
}

function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || inner.prefix < outer.prefix) return false
  const bits = mask(outer.bits, outer.prefix)
  return (outer.address & bits) === (inner.address & bits)
}

function mask(bits: number, prefix: number): bigint {
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix)
}

function bitsOf4(address: string): bigint {
  return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
}

function bitsOf6(address: string): bigint {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  const low = dotted === undefined ? 0n : bitsOf4(dotted)
  const words =
    dotted === undefined
      ? address
      : address.replace(dotted, `${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`)
  const [head = '', tail] = words.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n)
}

function show(family: 4 | 6, address: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (address >> shift) & 255n).join('.')
  const words = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  )
  return compressed(words)
}

/** RFC 5952: the longest run of zero words, of two at least, becomes `::`; the first of equal runs. */
function compressed(words: readonly string[]): string {
  let [best, length] = [-1, 1]
  for (let i = 0; i < words.length; i++) {
    let end = i
    while (words[end] === '0') end++
    if (end - i > length) [best, length] = [i, end - i]
  }
  if (best < 0) return words.join(':')
  return `${words.slice(0, best).join(':')}::${words.slice(best + length).join(':')}`
}
