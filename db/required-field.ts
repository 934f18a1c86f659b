import { BusinessError } from '#domain/errors.ts'
import { refuseMissingFields } from '#domain/invoice/required-field.ts'
import type { Tx } from './database.ts'
import type { NewInvoice } from './invoice.ts'
import { readBuyers, readSellerFacts, type BuyerFacts, type SellerFacts } from './party.ts'
import { readStatedTaxes } from './stated-tax.ts'

/** Why documents must not be finalized as their parties stand, of those that lack what the law asks for. */
export async function findIncomplete(
  tx: Tx,
  invoices: readonly NewInvoice[],
): Promise<ReadonlyMap<NewInvoice, BusinessError>> {
  const taxed = invoices.filter(({ draft }) => draft.taxes.length > 0)
  const facts = await readSellerFacts(tx)
  const { seller } = facts
  if (taxed.length === 0 || seller.country === undefined) return new Map()
  const statedTaxOf = await readStatedTaxes(tx, taxed, facts)
  const customerIds = taxed.map(({ customerId }) => customerId)
  const buyerOf = await readBuyers(tx, customerIds)
  return new Map(
    taxed.flatMap((invoice) => {
      const refusal = refusalOf(invoice, seller, buyerOf) ?? refusalToState(() => statedTaxOf(invoice))
      return refusal === null ? [] : [[invoice, refusal] as const]
    }),
  )
}

function refusalToState(state: () => unknown): BusinessError | null {
  try {
    state()
    return null
  } catch (error) {
    if (error instanceof BusinessError) return error
    throw error
  }
}

/** @throws `invoice_field_missing` */
export function refuseIncomplete(
  invoices: readonly NewInvoice[],
  { seller }: SellerFacts,
  buyerOf: (id: string) => BuyerFacts,
): void {
  for (const invoice of invoices) {
    const refusal = refusalOf(invoice, seller, buyerOf)
    if (refusal !== null) throw refusal
  }
}

/** What takes back a finalized invoice names it, and is never held up. */
function refusalOf(
  { draft, customerId, correctsId }: NewInvoice,
  seller: SellerFacts['seller'],
  buyerOf: (id: string) => BuyerFacts,
): BusinessError | null {
  if (correctsId) return null
  return refuseMissingFields({ seller, buyer: buyerOf(customerId).buyer, taxes: draft.taxes })
}
