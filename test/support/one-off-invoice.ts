import type { Tx, Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { insertInvoices, type FinalizedInvoice } from '#db/invoice.ts'
import { computeDocument } from '#domain/invoice/document.ts'
import type { OneOffPart } from '#domain/invoice/lines.ts'
import type { TaxDecision } from '#domain/tax.ts'

const vat: TaxDecision = {
  category: 'standard',
  rates: [{ name: 'VAT', ratePercent: '20' }],
  note: null,
  rule: 'same_country',
}

/** A finalized invoice of one-off charges, `quantity × unit price` each, in USD at 20 percent. */
export async function insertOneOffInvoice(
  db: Db,
  customerId: string,
  prices: readonly (readonly [quantity: string, unitPrice: string])[],
  options: { tax?: TaxDecision; now?: string; testClockId?: string } = {},
): Promise<FinalizedInvoice & { lineIds: readonly string[] }> {
  const parts = prices.map(([quantity, unitAmount], index): OneOffPart => ({
    kind: 'one_off',
    charge: {
      id: newId(),
      subscriptionId: null,
      productId: null,
      description: `Work ${index + 1}`,
      quantity,
      unit: 'hour',
      price: { model: 'per_unit', unitAmount },
      taxCategory: 'standard',
      chargedOn: '2026-03-31',
    },
  }))
  const make = async (tx: Tx) => {
    await insertCharges(tx, customerId, parts)
    const draft = computeDocument({
      reason: 'period',
      currency: 'USD',
      asOf: '2026-03-31',
      cycles: null,
      lines: [],
      parts,
      usageOf: () => {
        throw new Error('nothing is measured')
      },
      discounts: [],
      bounds: [],
      tax: { arePricesInclusive: false, taxRounding: 'document', decide: () => options.tax ?? vat },
      language: 'en',
    })
    if (draft === null) throw new Error('nothing is due')
    const [made] = await insertInvoices(tx, [
      {
        billingKey: `test/${newId()}`,
        customerId,
        documentId: null,
        subscriptionId: null,
        testClockId: options.testClockId ?? null,
        now: options.now ?? '2026-03-31T08:00:00Z',
        draft,
        sources: new Map(),
      },
    ])
    if (!made) throw new Error('no invoice was made')
    const lines = await tx
      .selectFrom('invoice_lines')
      .select('id')
      .where('invoice_id', '=', made.id)
      .orderBy('position')
      .execute()
    return { ...made, lineIds: lines.map((line) => line.id) }
  }
  return db.isTransaction ? await make(db as Tx) : await db.transaction().execute(make)
}

async function insertCharges(tx: Tx, customerId: string, parts: readonly OneOffPart[]): Promise<void> {
  await tx
    .insertInto('one_off_charges')
    .values(
      parts.map(({ charge }) => ({
        id: charge.id,
        customer_id: customerId,
        currency: 'USD',
        description: charge.description,
        quantity: charge.quantity,
        unit: charge.unit,
        price: JSON.stringify(charge.price),
        charged_on: charge.chargedOn,
      })),
    )
    .execute()
}
