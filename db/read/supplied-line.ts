import { sql } from 'kysely'
import type { Period } from '#domain/calendar.ts'
import type { SuppliedLine } from '#domain/supplied-line.ts'
import type { Db } from '../database.ts'
import { suppliedIsWaiting } from './payable.ts'

export interface SuppliedLineRow extends SuppliedLine {
  readonly invoiceId: string
  readonly number: string
  readonly supplierId: string
  readonly supplierName: string
  readonly currency: string
  /** From 1 on, in its document. */
  readonly position: number
}

/**
 * What suppliers billed for days of a period, line by line; what is for no days counts on the day of its document. A credit note that
 * waits for what it corrects counts for nothing yet, what is void for nothing any more.
 */
export async function listSuppliedLines(db: Db, { start, end }: Period): Promise<SuppliedLineRow[]> {
  const { rows } = await sql<{
    id: string
    number: string
    supplier_id: string
    supplier_name: string
    currency: string
    issued_on: string
    position: number
    line: {
      description: string
      amount_minor: number
      service_period: { starts_on: string; ends_on: string } | null
      product_code?: string | null
      subscription?: string | null
    }
  }>`
    select supplied.id, supplied.number, supplied.supplier_id, supplier.name as supplier_name, supplied.currency, supplied.issued_on,
      line.position::int as position, line.value as line
    from supplier_invoices supplied
    join suppliers supplier on supplier.id = supplied.supplier_id
    cross join lateral jsonb_array_elements(supplied.content -> 'lines') with ordinality as line (value, position)
    where supplied.voided_at is null and not ${suppliedIsWaiting} and case
      when line.value -> 'service_period' ->> 'starts_on' < line.value -> 'service_period' ->> 'ends_on'
        then line.value -> 'service_period' ->> 'starts_on' < ${end} and line.value -> 'service_period' ->> 'ends_on' > ${start}
      else supplied.issued_on >= ${start} and supplied.issued_on < ${end} end
    order by supplied.id, line.position`.execute(db)
  return rows.map(({ line, ...row }) => ({
    invoiceId: row.id,
    number: row.number,
    supplierId: row.supplier_id,
    supplierName: row.supplier_name,
    currency: row.currency,
    issuedOn: row.issued_on,
    position: row.position,
    description: line.description,
    productCode: line.product_code ?? null,
    subscription: line.subscription ?? null,
    servicePeriod:
      line.service_period === null
        ? null
        : { start: line.service_period.starts_on, end: line.service_period.ends_on },
    amountMinor: line.amount_minor,
  }))
}
