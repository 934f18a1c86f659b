import { assert } from '../assert.ts'

/** What a document holds, as it is written down: no dates, decimals or classes, only their text. */
export type DocumentContent =
  | string
  | number
  | boolean
  | null
  | readonly DocumentContent[]
  | { readonly [name: string]: DocumentContent | undefined }

/**
 * The one text of a document's content: JSON without spaces, names sorted by their UTF-16 code units, lists in their
 * order, absent fields left out (RFC 8785, with safe integers as the only numbers). Equal documents have equal texts.
 */
export function canonicalInvoice(content: DocumentContent): string {
  if (typeof content === 'number') {
    assert(Number.isSafeInteger(content), `a document holds safe integers only, got ${content}`)
    return String(content === 0 ? 0 : content)
  }
  if (content === null || typeof content !== 'object') return JSON.stringify(content)
  if (isList(content)) return `[${content.map(canonicalInvoice).join(',')}]`
  let fields = ''
  // Without an order given, sorting is by UTF-16 code units.
  for (const name of Object.keys(content).toSorted()) {
    const value = content[name]
    if (value !== undefined)
      fields += `${fields === '' ? '' : ','}${quotedName(name)}:${canonicalInvoice(value)}`
  }
  return `{${fields}}`
}

// The fields of a document have a few dozen names, which a large one repeats a hundred thousand times.
const quotedNames = new Map<string, string>()
const quotedAtMost = 1_000

function quotedName(name: string): string {
  const known = quotedNames.get(name)
  if (known !== undefined) return known
  const quoted = JSON.stringify(name)
  if (quotedNames.size < quotedAtMost) quotedNames.set(name, quoted)
  return quoted
}

function isList(content: DocumentContent & object): content is readonly DocumentContent[] {
  return Array.isArray(content)
}

/**
 * What is hashed to chain a document to the one before it in its series: the hash before, a line break, the text. The
 * first of a series has no hash before. SHA-256 over UTF-8 is taken by `db`, which may use Node's crypto.
 * @param previousHash hexadecimal
 */
export function chainedText(previousHash: string | null, canonical: string): string {
  return `${previousHash ?? ''}\n${canonical}`
}
