/** A piece of base64 this short could be part of an ordinary word. */
const SHORTEST_BASE64 = 6

/** Where `base64` and `openssl` break their lines. */
const LINE_WIDTHS = [64, 76] as const

/**
 * Returns the value in every spelling that shells, encoders and the formats of reports give it: as it is; base64 wherever
 * it begins in what was encoded; hexadecimal; in URLs and forms; in JSON; quoted for a shell, YAML, SQL, XML and systemd.
 */
export function spellings(value: string): ReadonlySet<string> {
  return new Set([
    value,
    ...base64Spellings(Buffer.from(value, 'utf8')),
    ...hexSpellings(Buffer.from(value, 'utf8')),
    ...urlSpellings(value),
    ...quotedSpellings(value),
  ])
}

function base64Spellings(bytes: Buffer): readonly string[] {
  const whole = bytes.toString('base64')
  const pieces = [0, 1, 2]
    .map(before => insideBase64(bytes, before))
    .filter(piece => piece.length >= SHORTEST_BASE64)
  const lines = LINE_WIDTHS.flatMap(width => linesOf(whole, width)).filter(
    line => line.length >= SHORTEST_BASE64,
  )
  return [whole, whole.replace(/=+$/, ''), ...pieces, ...lines].flatMap(text => [text, urlAlphabet(text)])
}

/** Returns the characters that depend on the bytes alone, where that many bytes stand before them and any behind. */
function insideBase64(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  const first = Math.ceil((before * 8) / 6)
  const end = Math.floor(((before + bytes.length) * 8) / 6)
  return text.slice(first, end)
}

function linesOf(text: string, width: number): readonly string[] {
  if (text.length <= width) return []
  return Array.from({ length: Math.ceil(text.length / width) }, (_, i) =>
    text.slice(i * width, (i + 1) * width),
  )
}

function urlAlphabet(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

function hexSpellings(bytes: Buffer): readonly string[] {
  const pairs = [...bytes].map(byte => byte.toString(16).padStart(2, '0'))
  const lower = ['', ' ', ':', String.raw`\x`, '%'].map(between => pairs.join(between))
  return lower.flatMap(text => [text, text.replaceAll(/[a-f]/g, letter => letter.toUpperCase())])
}

function urlSpellings(value: string): readonly string[] {
  const component = Buffer.from(value, 'utf8').toString() === value ? encodeURIComponent(value) : value
  const strict = component.replaceAll(
    /[!'()*~]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const forms = [component, strict].flatMap(text => [text, text.replaceAll('%20', '+')])
  return forms.flatMap(text => [text, text.replaceAll(/%[0-9A-F]{2}/g, code => code.toLowerCase())])
}

function quotedSpellings(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1)
  return [
    json,
    json.replaceAll('/', String.raw`\/`),
    json.replaceAll(/[^\x20-\x7e]/g, codeUnit),
    JSON.stringify(json).slice(1, -1),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", `'"'"'`),
    value.replaceAll("'", "''"),
    value.replaceAll(/[$"`\\]/g, String.raw`\$&`),
    value.replaceAll(/[\s'"\\|&;()<>!{}*[\]?^$`,]/g, String.raw`\$&`),
    value.replaceAll('%', '%%'),
    value.replaceAll('$', '$$$$'),
    ...['&#39;', '&#x27;', '&apos;', "'"].map(apostrophe => escapedXml(value, apostrophe)),
  ]
}

function codeUnit(letter: string): string {
  return String.raw`\u` + letter.charCodeAt(0).toString(16).padStart(4, '0')
}

function escapedXml(value: string, apostrophe: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", apostrophe)
}
