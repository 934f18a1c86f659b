import type { Db, Tx } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { insertInvoices } from '#db/invoice.ts'
import { computeDocument } from '#domain/invoice/document.ts'
import type { OneOffPart } from '#domain/invoice/lines.ts'

const documentsPerTransaction = 500
const linesPerDocument = 3
const chargedOn = '2026-03-31'

/** So many finalized invoices of one customer, three one-off charges each, in USD at 20 percent: by the way of every document. */
export async function finalizeDocuments(db: Db, customerId: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= documentsPerTransaction)
    await db
      .transaction()
      .execute(async (tx) => finalize(tx, customerId, Math.min(left, documentsPerTransaction)))
}

async function finalize(tx: Tx, customerId: string, count: number): Promise<void> {
  const documents = Array.from({ length: count }, () => makeParts())
  await insertCharges(tx, customerId, documents.flat())
  await insertInvoices(
    tx,
    documents.map((parts) => {
      const draft = draftOf(parts)
      return {
        billingKey: `bench/${newId()}`,
        customerId,
        documentId: null,
        subscriptionId: null,
        testClockId: null,
        now: `${chargedOn}T08:00:00Z`,
        draft,
        sources: new Map(),
      }
    }),
  )
}

function makeParts(): OneOffPart[] {
  return Array.from({ length: linesPerDocument }, (_, index) => ({
    kind: 'one_off',
    charge: {
      id: newId(),
      subscriptionId: null,
      productId: null,
      description: `Hosting of application ${index + 1}`,
      quantity: '1',
      unit: 'month',
      price: { model: 'per_unit', unitAmount: '12.50' },
      taxCategory: 'standard',
      chargedOn,
    },
  }))
}

function draftOf(parts: readonly OneOffPart[]) {
  const draft = computeDocument({
    reason: 'period',
    currency: 'USD',
    asOf: chargedOn,
    cycles: null,
    lines: [],
    parts,
    usageOf: () => {
      throw new Error('nothing is measured')
    },
    discounts: [],
    bounds: [],
    tax: {
      arePricesInclusive: false,
      taxRounding: 'document',
      decide: () => ({
        category: 'standard',
        rates: [{ name: 'VAT', ratePercent: '20' }],
        note: null,
        rule: 'same_country',
      }),
    },
    language: 'en',
  })
  if (draft === null) throw new Error('nothing is due')
  return draft
}

async function insertCharges(tx: Tx, customerId: string, parts: readonly OneOffPart[]): Promise<void> {
  const rows = parts.map(({ charge }) => ({
    id: charge.id,
    customer_id: customerId,
    currency: 'USD',
    description: charge.description,
    quantity: charge.quantity,
    unit: charge.unit,
    price: JSON.stringify(charge.price),
    charged_on: charge.chargedOn,
  }))
  await tx.insertInto('one_off_charges').values(rows).execute()
}
