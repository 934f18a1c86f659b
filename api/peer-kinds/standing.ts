import { receiveSupplierStanding } from '#db/supplier-standing.ts'
import { supplierStandingSchema } from '../schemas/supplier-invoice.ts'
import { takenBy } from './kind.ts'

/** How a document stands with the supplier, which is shown as what it says, and changes nothing of the document. */
export const standingKind = takenBy(supplierStandingSchema, async (tx, standing, { peerId, now }) => {
  await receiveSupplierStanding(tx, { peerId, standing, now })
  return { outcome: 'stored' }
})
