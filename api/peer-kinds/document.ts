import { receiveSupplierInvoice } from '#db/supplier-invoice.ts'
import { supplierDocumentSchema } from '../schemas/supplier-invoice.ts'
import { takenBy } from './kind.ts'

/** A finalized invoice or credit note of a supplier, once, by the supplier's own id of it. */
export const documentKind = takenBy(supplierDocumentSchema, async (tx, document, taking) => {
  const outcome = await receiveSupplierInvoice(tx, { ...taking, document })
  return outcome === 'conflict'
    ? { outcome, reason: `${document.number} came again under its id with another content` }
    : { outcome }
})
