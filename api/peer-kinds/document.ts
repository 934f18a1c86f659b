import { receiveSupplierInvoices } from '#db/supplier-invoice.ts'
import { assert } from '#domain/assert.ts'
import { supplierDocumentSchema } from '../schemas/supplier-invoice.ts'
import { takenTogether } from './kind.ts'

/** Finalized invoices and credit notes of a supplier, each once, by the supplier's own id of it. */
export const documentKind = takenTogether(supplierDocumentSchema, async (tx, takings) => {
  const [first] = takings
  assert(first, 'something is taken')
  const documents = takings.map(({ content, raw, sha256 }) => ({ document: content, raw, sha256 }))
  const receptions = await receiveSupplierInvoices(tx, first, documents)
  return receptions.map((outcome, index) => {
    const reason = `${documents[index]?.document.number} came again under its id with another content`
    return outcome === 'conflict' ? { outcome, reason } : { outcome }
  })
})
