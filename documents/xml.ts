/** An element of XML: its name, its attributes where it has any, and what it holds. What is null or undefined is left out. */
export type XmlNode = readonly [
  name: string,
  content: string | readonly (XmlNode | null | undefined)[],
  attributes?: Readonly<Record<string, string>>,
]

/** Indented, in UTF-8, with no entities but the five of XML. */
export function writeXml(root: XmlNode): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeNode(root, '')}`
}

function writeNode([name, content, attributes = {}]: XmlNode, indent: string): string {
  const open = Object.entries(attributes).reduce(
    (text, [key, value]) => `${text} ${key}="${escapeText(value)}"`,
    name,
  )
  if (typeof content === 'string') return `${indent}<${open}>${escapeText(content)}</${name}>\n`
  const inner = content.flatMap((node) => (node ? writeNode(node, `${indent}  `) : [])).join('')
  return `${indent}<${open}>\n${inner}${indent}</${name}>\n`
}

/** What XML 1.0 has no way to write is left out; line breaks stay. */
// oxlint-disable-next-line no-control-regex -- exactly these
const unwritable = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

function escapeText(text: string): string {
  return text.replaceAll(unwritable, '').replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign)
}
