import { createHash } from 'node:crypto'
import { canonicalInvoice, type DocumentContent } from '#domain/invoice/hash.ts'

/** SHA-256 of the one text of what a message between installations says. */
export function hashOf(content: unknown): Buffer {
  return createHash('sha256')
    .update(canonicalInvoice(content as DocumentContent))
    .digest()
}
