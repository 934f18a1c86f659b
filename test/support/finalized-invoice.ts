import { newId } from '#db/identifier.ts'
import type { Db } from '#db/database.ts'

export interface MadeInvoice {
  readonly number: string
  readonly currency: string
  readonly netMinor: number
  readonly taxPercent: string
  readonly taxMinor: number
  /** Of the buyer, as it is copied onto the document. */
  readonly language?: string
  readonly isDraft?: boolean
}

/** A document of one line, written row by row: no catalog, no order, no billing is needed for it. */
export async function insertFinalizedInvoice(db: Db, customerId: string, made: MadeInvoice): Promise<string> {
  const id = newId()
  await db
    .insertInto('invoices')
    .values({
      id,
      kind: 'invoice',
      billing_key: `test/${id}`,
      customer_id: customerId,
      currency: made.currency,
      issued_on: '2026-03-31',
      due_on: '2026-04-14',
      instalments: null,
      net_minor: made.netMinor,
      tax_minor: made.taxMinor,
      total_minor: made.netMinor + made.taxMinor,
      seller: JSON.stringify({
        name: 'Clouder Hosting',
        address: '1 Quay\nHarbour',
        taxId: 'DE1',
        country: 'DE',
      }),
      buyer: JSON.stringify({
        code: 'acme',
        name: 'Acme',
        email: null,
        address: null,
        language: made.language,
      }),
    })
    .execute()
  await insertLine(db, { invoiceId: id, customerId, made })
  await db
    .insertInto('invoice_taxes')
    .values({
      invoice_id: id,
      position: 1,
      category: 'standard',
      name: 'VAT',
      rate_percent: made.taxPercent,
      base_minor: made.netMinor,
      tax_minor: made.taxMinor,
      note: null,
    })
    .execute()
  if (made.isDraft !== true) await finalize(db, id, made.number)
  return id
}

async function insertLine(
  db: Db,
  { invoiceId, customerId, made }: { invoiceId: string; customerId: string; made: MadeInvoice },
): Promise<void> {
  const fee = { currency: made.currency, description: 'Set-up', quantity: '1', unit: 'piece' }
  const chargeId = newId()
  await db
    .insertInto('one_off_charges')
    .values({
      ...fee,
      id: chargeId,
      customer_id: customerId,
      price: JSON.stringify({ model: 'flat', amount: '1' }),
      charged_on: '2026-03-31',
    })
    .execute()
  const { currency: _, ...text } = fee
  await db
    .insertInto('invoice_lines')
    .values({
      ...text,
      id: newId(),
      invoice_id: invoiceId,
      position: 1,
      kind: 'one_off',
      billing_type: 'flat',
      one_off_charge_id: chargeId,
      rated_minor: made.netMinor,
      amount_minor: made.netMinor,
      tax_rate_percent: made.taxPercent,
      tax_minor: made.taxMinor,
      explanation: JSON.stringify({ formula: '1 × flat' }),
    })
    .execute()
}

async function finalize(db: Db, id: string, number: string): Promise<void> {
  await db
    .updateTable('invoices')
    .set({ number, series: number, sequence: 1, finalized_at: '2026-03-31T08:00:00Z' })
    .where('id', '=', id)
    .execute()
}
