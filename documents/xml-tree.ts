import { BusinessError } from '#domain/errors.ts'

/** An element as it was read: its name without prefix, its attributes, what it holds, and its own text. */
export interface XmlElement {
  readonly name: string
  /** As they are written, declarations of namespaces too. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  readonly text: string
}

interface OpenElement {
  readonly fullName: string
  readonly attributes: Map<string, string>
  readonly children: XmlElement[]
  text: string
}

const deepest = 30
const mostElements = 100_000
const name = String.raw`[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?`
const startTag = new RegExp(String.raw`<(${name})((?:\s+${name}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(/?)>`, 'y')
const endTag = new RegExp(String.raw`</(${name})\s*>`, 'y')
const attribute = new RegExp(String.raw`(${name})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')`, 'g')
const declaration = /^\u{FEFF}?(?:<\?xml\s[^<>?]*\?>)?/u
const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Reads XML of business documents: elements, attributes, text, comments and CDATA, with the five entities of XML and characters by
 * number. All else that XML has is refused, above all document types and their entities, by which small texts grow without bound or
 * name other files. Depth and number of elements are bounded, and nothing is read twice.
 * @throws `xml_malformed`
 */
export function readXml(text: string): XmlElement {
  const root: OpenElement = { fullName: '', attributes: new Map(), children: [], text: '' }
  const open: OpenElement[] = [root]
  let at = declaration.exec(text)?.[0].length ?? 0
  let elements = 0
  while (at < text.length) {
    const inner = open.at(-1) ?? root
    if (text[at] !== '<') {
      const end = text.indexOf('<', at)
      inner.text += toText(text.slice(at, end < 0 ? text.length : end))
      at = end < 0 ? text.length : end
      continue
    }
    const aside = readAside(text, at)
    if (aside !== null) {
      inner.text += aside.text
      at = aside.end
      continue
    }
    const tag = matchAt(endTag, text, at)
    if (tag !== null) {
      close(open, tag[1] ?? '')
      at += tag[0].length
      continue
    }
    const start = matchAt(startTag, text, at)
    elements += 1
    if (start === null) throw malformed(`what begins at character ${at + 1} is no element that is read here`)
    if (open.length > deepest || elements > mostElements)
      throw malformed('it is too deep or has too many elements')
    const [whole, fullName = '', attributes = '', end] = start
    open.push({ fullName, attributes: toAttributes(attributes), children: [], text: '' })
    if (end === '/') close(open, fullName)
    at += whole.length
  }
  const [only, ...more] = root.children
  if (open.length > 1 || only === undefined || more.length > 0 || root.text.trim() !== '')
    throw malformed('it is not one element that is closed')
  return only
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** A comment, which says nothing, or text that is marked as such; null where there is neither. */
function readAside(text: string, at: number): { readonly text: string; readonly end: number } | null {
  for (const [opens, closes, isText] of [
    ['<!--', '-->', false],
    ['<![CDATA[', ']]>', true],
  ] as const) {
    if (!text.startsWith(opens, at)) continue
    const end = text.indexOf(closes, at + opens.length)
    if (end < 0) throw malformed(`${opens} is not closed`)
    return { text: isText ? text.slice(at + opens.length, end) : '', end: end + closes.length }
  }
  return null
}

function close(open: OpenElement[], fullName: string): void {
  const closed = open.pop()
  const parent = open.at(-1)
  if (closed === undefined || parent === undefined || closed.fullName !== fullName)
    throw malformed(`</${fullName}> closes nothing`)
  const { attributes, children, text } = closed
  parent.children.push({ name: fullName.split(':').at(-1) ?? '', attributes, children, text: text.trim() })
}

function toAttributes(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, key = '', double, single] of text.matchAll(attribute)) {
    if (found.has(key)) throw malformed(`${key} is said twice`)
    found.set(key, toText(double ?? single ?? ''))
  }
  return found
}

function toText(raw: string): string {
  return raw.replaceAll(/&([^;&]{0,12};)?/g, (_whole, reference: string | undefined) => {
    const entity = reference?.slice(0, -1) ?? ''
    const sign = Object.hasOwn(signs, entity) ? signs[entity] : characterOf(entity)
    if (sign === undefined) throw malformed(`&${entity} is no entity that is read here`)
    return sign
  })
}

function characterOf(entity: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(entity) ?? []
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  const isCharacter = code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}

function malformed(what: string): BusinessError {
  return new BusinessError('xml_malformed', `The file is no XML that is read here: ${what}.`)
}
