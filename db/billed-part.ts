import { sql } from 'kysely'
import type { ExplainedTax } from '#domain/invoice/explanation.ts'
import type { BilledPart, InvoiceLineKind } from '#domain/invoice/lines.ts'
import type { TaxCategory, TaxDecision } from '#domain/tax.ts'
import type { Db } from './database.ts'

export interface BilledLine {
  readonly id: string
  readonly endsOn: string | null
  /** Its subscription has a least or greatest amount a period. */
  readonly isBounded: boolean
}

interface PartRow {
  readonly line_id: string
  readonly id: string
  readonly kind: InvoiceLineKind
  readonly starts_on: string | null
  readonly ends_on: string | null
  readonly metered_quantity: string | null
  readonly is_early: boolean
  readonly rated_minor: number
  readonly discount_minor: number
  readonly amount_minor: number
  readonly tax_minor: number
  readonly tax_category: TaxCategory
  readonly tax: ExplainedTax | null
  readonly credited_minor: number
  readonly credited_tax_minor: number
}

/**
 * What was billed of each line, as far as it can still matter, so that the thirty-sixth month costs what the first did: the
 * newest part; of an ended line what reaches beyond its end, with what was credited of it; of a line with bounds what
 * reaches into the cycle before. What stands on a draft counts as billed: it will be finalized, or taken away as a whole.
 */
export async function readBilledParts(
  db: Db,
  lines: readonly BilledLine[],
): Promise<ReadonlyMap<string, BilledPart[]>> {
  if (lines.length === 0) return new Map()
  const ids = lines.map((line) => line.id)
  const ends = lines.map((line) => line.endsOn)
  const bounded = lines.map((line) => line.isBounded)
  const { rows } = await sql<PartRow>`
    select asked.line_id, part.id, part.kind, lower(part.service_period) as starts_on, upper(part.service_period) as ends_on,
      part.explanation -> 'usage' ->> 'quantity' as metered_quantity, part.explanation ? 'isEarly' as is_early,
      part.rated_minor, part.discount_minor, part.amount_minor, part.tax_minor, part.tax_category,
      case when asked.ends_on is not null then part.explanation -> 'tax' end as tax,
      -- Of an annulled invoice nothing is left to credit, also before its note is written.
      case when credits.is_void then part.amount_minor else coalesce(credits.amount_minor, 0)::bigint end as credited_minor,
      case when credits.is_void then part.tax_minor else coalesce(credits.tax_minor, 0)::bigint end as credited_tax_minor
    from unnest(${ids}::uuid[], ${ends}::date[], ${bounded}::boolean[]) as asked (line_id, ends_on, is_bounded)
    cross join lateral (
      select once.* from invoice_lines once
      where once.subscription_line_id = asked.line_id and upper(once.service_period) is null and once.kind = 'one_time'
      union all
      (select newest.* from invoice_lines newest
        where newest.subscription_line_id = asked.line_id and newest.kind in ('recurring', 'usage')
          and upper(newest.service_period) is not null
        order by upper(newest.service_period) desc limit 1)
      union all
      select beyond.* from invoice_lines beyond
      where asked.ends_on is not null and beyond.subscription_line_id = asked.line_id
        and upper(beyond.service_period) > asked.ends_on and beyond.kind <> 'correction'
      union all
      -- Of a cycle that was billed early, all that was: the rest counts on from it.
      select early.* from invoice_lines early
      where early.subscription_line_id = asked.line_id and early.kind in ('usage', 'late_usage')
        and upper(early.service_period) > (
          select case when newest.explanation ? 'isEarly' then (newest.explanation #>> '{cycle,start}')::date end
          from invoice_lines newest
          where newest.subscription_line_id = asked.line_id and newest.kind in ('recurring', 'usage')
            and upper(newest.service_period) is not null
          order by upper(newest.service_period) desc limit 1)
      union all
      select recent.* from invoice_lines recent
      where asked.is_bounded and recent.subscription_line_id = asked.line_id and recent.kind <> 'correction'
        and upper(recent.service_period) > (select max(lower(last.service_period)) - 370 from invoice_lines last
          where last.subscription_line_id = asked.line_id)
    ) part
    left join lateral (
      -- A credit that was itself taken back counts for nothing.
      select -sum(credit.amount_minor + coalesce(undone.amount_minor, 0)) as amount_minor,
        -sum(credit.tax_minor + coalesce(undone.tax_minor, 0)) as tax_minor,
        exists (select from invoice_marks mark
          where mark.invoice_id = part.invoice_id and mark.kind = 'void' and mark.ended_at is null) as is_void
      from invoice_lines credit
      left join lateral (
        select sum(amount_minor) as amount_minor, sum(tax_minor) as tax_minor from invoice_lines
        where credits_line_id = credit.id
      ) undone on true
      where asked.ends_on is not null and credit.credits_line_id = part.id
    ) credits on true
    order by upper(part.service_period), part.id`.execute(db)
  // A part may be found for more than one reason.
  const parts = new Map(rows.map((row) => [row.id, { lineId: row.line_id, part: toPart(row) }]))
  const grouped = Map.groupBy(parts.values(), ({ lineId }) => lineId)
  return new Map([...grouped].map(([lineId, found]) => [lineId, found.map(({ part }) => part)]))
}

function toPart(row: PartRow): BilledPart {
  return {
    id: row.id,
    kind: row.kind,
    servicePeriod:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    ...(row.metered_quantity === null ? {} : { meteredQuantity: row.metered_quantity }),
    ...(row.is_early ? { isEarly: true } : {}),
    ratedMinor: row.rated_minor,
    discountMinor: row.discount_minor,
    amountMinor: row.amount_minor,
    taxMinor: row.tax_minor,
    creditedMinor: row.credited_minor,
    creditedTaxMinor: row.credited_tax_minor,
    tax: toDecision(row),
  }
}

/** The decision under which it was charged; without one the seller kept no rates. */
export function toDecision({
  tax,
  tax_category: category,
}: Pick<PartRow, 'tax' | 'tax_category'>): TaxDecision {
  if (tax === null) return { category: 'out_of_scope', rates: [], note: null, rule: 'seller_has_no_rates' }
  return {
    category,
    rates: tax.rates,
    note: tax.note ?? null,
    rule: tax.rule,
    ...(tax.source === undefined ? {} : { source: tax.source }),
  }
}
