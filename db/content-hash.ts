import { createHash } from 'node:crypto'
import { canonicalInvoice, type DocumentContent } from '#domain/invoice/hash.ts'

/** SHA-256 of the one text of what a message between installations says. */
export function hashOf(content: unknown): Buffer {
  return writeOnce(content).sha256
}

/** The one text of what a message between installations says, for whoever needs more of it than its hash. */
export function writeOnce(content: unknown): { readonly text: string; readonly sha256: Buffer } {
  const text = canonicalInvoice(content as DocumentContent)
  return { text, sha256: createHash('sha256').update(text).digest() }
}
