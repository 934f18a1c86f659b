import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import type { DocumentDraft, DocumentLineDraft } from '#domain/invoice/document.ts'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import type { SimulatedBill } from '#domain/invoice/simulation.ts'

/** What a document says, to the last step of each line's explanation; without numbers, and ids of rows that were not there. */
export function toldBy(bill: Pick<SimulatedBill, 'on' | 'documentId' | 'draft'>) {
  const { kind, currency, taxes, netMinor, taxMinor, totalMinor } = bill.draft
  return {
    on: bill.on,
    documentId: bill.documentId,
    kind,
    currency,
    netMinor,
    taxMinor,
    totalMinor,
    taxes: taxes.map(({ category, name, ratePercent, baseMinor, taxMinor: minor, note }) => [
      category,
      name,
      Number(ratePercent),
      baseMinor,
      minor,
      note,
    ]),
    lines: bill.draft.lines.map(toldByLine),
  }
}

type ToldLine = Pick<
  DocumentLineDraft,
  | 'kind'
  | 'subscriptionLineId'
  | 'oneOffChargeId'
  | 'description'
  | 'quantity'
  | 'unit'
  | 'unitPrice'
  | 'servicePeriod'
  | 'ratedMinor'
  | 'discountMinor'
  | 'amountMinor'
  | 'taxMinor'
  | 'explanation'
>

function toldByLine(line: ToldLine) {
  const { kind, subscriptionLineId, oneOffChargeId, description, quantity, unit, unitPrice, servicePeriod } =
    line
  const { ratedMinor, discountMinor, amountMinor, taxMinor, explanation } = line
  const facts = {
    kind,
    subscriptionLineId,
    oneOffChargeId,
    description,
    quantity,
    unit,
    unitPrice,
    servicePeriod,
  }
  return {
    ...facts,
    ratedMinor,
    discountMinor,
    amountMinor,
    taxMinor,
    explanation: toldByExplanation(explanation),
  }
}

/** From how many readings a quantity came is known only once they are there. */
function toldByExplanation({ usage, ...explanation }: InvoiceLineExplanation) {
  return usage === undefined ? explanation : { ...explanation, used: [usage.quantity, usage.unit] }
}

/** Which of two documents of one day is billed first does not matter. */
export function inOrder<Told extends { readonly on: string; readonly documentId: string | null }>(
  told: readonly Told[],
): Told[] {
  const keyOf = ({ on, documentId }: Told) => `${on} ${documentId ?? ''}`
  return told.toSorted((first, second) => (keyOf(first) < keyOf(second) ? -1 : 1))
}

/** The documents that were made for a test clock after a day, oldest first, as what they say. */
export async function listTold(db: Db, testClockId: string, after: string) {
  const invoices = await db
    .selectFrom('invoices')
    .selectAll()
    .where('test_clock_id', '=', testClockId)
    .where('issued_on', '>', after)
    .where('finalized_at', 'is not', null)
    .orderBy('issued_on')
    .orderBy('id')
    .execute()
  return await Promise.all(
    invoices.map(async (invoice) => {
      const sign = invoice.kind === 'credit_note' ? -1 : 1
      const draft: Pick<DocumentDraft, 'kind' | 'currency' | 'netMinor' | 'taxMinor' | 'totalMinor'> = {
        kind: invoice.kind,
        currency: invoice.currency,
        netMinor: sign * invoice.net_minor,
        // Never -0.
        taxMinor: sign * invoice.tax_minor + 0,
        totalMinor: sign * invoice.total_minor,
      }
      const lines = await listLines(db, invoice.id)
      const taxes = await db
        .selectFrom('invoice_taxes')
        .selectAll()
        .where('invoice_id', '=', invoice.id)
        .orderBy('position')
        .execute()
      return {
        on: invoice.issued_on,
        documentId: invoice.document_id,
        ...draft,
        taxes: taxes.map((tax) => [
          tax.category,
          tax.name,
          Number(tax.rate_percent),
          tax.base_minor,
          tax.tax_minor,
          tax.note,
        ]),
        lines,
      }
    }),
  )
}

async function listLines(db: Db, invoiceId: string) {
  const rows = await db
    .selectFrom('invoice_lines')
    .selectAll()
    .select(sql<string | null>`lower(service_period)`.as('start'))
    .select(sql<string | null>`upper(service_period)`.as('end'))
    .where('invoice_id', '=', invoiceId)
    .orderBy('position')
    .execute()
  return rows.map((row) =>
    toldByLine({
      kind: row.kind,
      subscriptionLineId: row.subscription_line_id,
      oneOffChargeId: row.one_off_charge_id,
      description: row.description,
      quantity: row.quantity,
      unit: row.unit,
      unitPrice: row.unit_price,
      servicePeriod: row.start === null || row.end === null ? null : { start: row.start, end: row.end },
      ratedMinor: row.rated_minor,
      discountMinor: row.discount_minor,
      amountMinor: row.amount_minor,
      taxMinor: row.tax_minor,
      explanation: row.explanation,
    }),
  )
}
