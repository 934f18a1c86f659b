import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { readStanding } from '#db/read/standing.ts'
import { encodeId } from '#domain/identifier.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'

/** What documents say, by what they are for; lines as a set, for those of a last bill over several documents come in another order. */
export type Bills = ReadonlyMap<string, readonly string[]>

const nothingMore = new Map<string, string>()

/** What a preview says that a clock brings up to a day, if nothing more is used and nothing changes. */
export async function foresee(db: Db, testClockId: string, until: string): Promise<Bills> {
  const document = await db
    .selectFrom('subscription_documents')
    .select('id')
    .where('test_clock_id', '=', testClockId)
    .where((eb) =>
      eb.or([
        eb('closed_at', 'is', null),
        eb.exists(
          eb
            .selectFrom('subscription_lines')
            .innerJoin('subscriptions', 'subscriptions.id', 'subscription_lines.subscription_id')
            .select('subscriptions.id')
            .whereRef('subscription_lines.document_id', '=', 'subscription_documents.id')
            .where('subscriptions.phase', 'not in', ['unbuilding', 'ended']),
        ),
      ]),
    )
    .orderBy('id')
    .executeTakeFirst()
  if (!document) return new Map()
  const standing = await readStanding(db, { documentId: document.id })
  if (standing === null) return new Map()
  return new Map(
    simulateDocuments(standing, nothingMore, until).map((bill) => [
      bill.reason === 'final'
        ? `subscription/${encodeId('subscription', bill.subscriptionId ?? '')}/final`
        : `document/${encodeId('document', bill.documentId ?? '')}/${bill.on}`,
      [
        `${bill.draft.kind} ${bill.draft.netMinor} + ${bill.draft.taxMinor}`,
        ...bill.draft.lines
          .map((line) =>
            text({
              kind: line.kind,
              of: line.subscriptionLineId ?? line.oneOffChargeId,
              from: line.servicePeriod?.start ?? null,
              to: line.servicePeriod?.end ?? null,
              description: line.description,
              amounts: [line.quantity, line.ratedMinor, line.discountMinor, line.amountMinor, line.taxMinor],
              tax: `${line.taxCategory} ${line.taxRatePercent}`,
            }),
          )
          .toSorted(),
      ],
    ]),
  )
}

interface LineText {
  readonly kind: string
  readonly of: string | null
  readonly from: string | null
  readonly to: string | null
  readonly description: string
  readonly amounts: readonly (string | number)[]
  readonly tax: string
}

function text(line: LineText): string {
  const days = line.from === null ? '' : ` ${line.from}/${line.to}`
  return `${line.kind}${days} ${line.description} ${line.amounts.join(' ')} ${line.tax} ${line.of}`
}

interface Row {
  readonly billing_key: string
  readonly invoice_kind: string
  readonly total: readonly [number, number]
  readonly lines: readonly LineText[]
}

/** What of a clock was billed since a document. */
export async function readBills(db: Db, testClockId: string, afterId: string | null): Promise<Bills> {
  const { rows } = await sql<Row>`
    select billing_key, invoices.kind as invoice_kind,
      json_build_array(net_minor, invoices.tax_minor) as total,
      json_agg(json_build_object('kind', line.kind, 'of', coalesce(subscription_line_id, one_off_charge_id), 'from',
        lower(service_period), 'to', upper(service_period), 'description', description, 'amounts',
        json_build_array(quantity::text, rated_minor, discount_minor, amount_minor, line.tax_minor),
        'tax', tax_category || ' ' || tax_rate_percent) order by position) as lines
    from invoices join invoice_lines line on line.invoice_id = invoices.id
    where test_clock_id = ${testClockId} and (${afterId}::uuid is null or invoices.id > ${afterId}::uuid)
      and billing_key not like '%/opening'
    group by invoices.id order by invoices.id`.execute(db)
  return new Map(
    rows.map(({ billing_key, invoice_kind, total: [net, tax], lines }) => {
      const sign = invoice_kind === 'credit_note' ? -1 : 1
      return [
        billing_key,
        [`${invoice_kind} ${0 + sign * net} + ${0 + sign * tax}`, ...lines.map(text).toSorted()],
      ]
    }),
  )
}

export async function newestInvoiceId(db: Db, testClockId: string): Promise<string | null> {
  const row = await db
    .selectFrom('invoices')
    .select('id')
    .where('test_clock_id', '=', testClockId)
    .orderBy('id', 'desc')
    .executeTakeFirst()
  return row?.id ?? null
}
