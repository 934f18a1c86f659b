import { findTakenNumber } from '#db/refused-document.ts'
import { receiveSupplierInvoices } from '#db/supplier-invoice.ts'
import type { Tx } from '#db/database.ts'
import { assert } from '#domain/assert.ts'
import { largestDocumentBytes } from '#domain/peer-message.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { supplierDocumentSchema } from '../schemas/supplier-invoice.ts'
import { takenTogether, type Taken, type Taking } from './kind.ts'

/** Finalized invoices and credit notes of a supplier, each once, by the supplier's own id of it, and by its number. */
export const documentKind = takenTogether(supplierDocumentSchema, take, largestDocumentBytes)

async function take(
  tx: Tx,
  takings: readonly (Taking & { readonly content: SupplierDocument })[],
): Promise<readonly Taken[]> {
  const [first] = takings
  assert(first, 'something is taken')
  const documents = takings.map(({ content, text, sha256 }) => ({ document: content, text, sha256 }))
  const taken = await findTakenNumber(tx, first, documents)
  const receptions = await receiveSupplierInvoices(
    tx,
    first,
    taken === -1 ? documents : documents.slice(0, taken),
  )
  const results = receptions.map((outcome, index): Taken => {
    const reason = `${documents[index]?.document.number} came again under its id with another content`
    return outcome === 'conflict' ? { outcome, reason } : { outcome }
  })
  if (taken === -1 || receptions.at(-1) === 'conflict') return results
  const reason = `${documents[taken]?.document.number} came again as another document; who resumes the peer takes it all the same`
  return [...results, { outcome: 'conflict', reason }]
}
