import type { Invariant } from './invariant.ts'

/** Numbers without a gap, in the order of their dates, chained by hash. */
export const seriesInvariants: readonly Invariant[] = [
  {
    never: 'is there a gap in the numbers of a series, from 1 on',
    query: `
      select format('%s: %s after %s', series, sequence, before) as found
      from (select series, sequence, lag(sequence, 1, 0) over (partition by series order by sequence) as before
        from invoices where finalized_at is not null) as numbered
      where sequence <> before + 1`,
  },
  {
    never: 'does a counter differ from its highest number, or from their count',
    query: `
      select format('%s: next is %s, %s documents, up to %s', code, next_number, documents, highest) as found
      from number_series full join (
        select series, count(*) as documents, max(sequence) as highest from invoices where finalized_at is not null group by series
      ) as numbered on numbered.series = number_series.code
      where next_number - 1 is distinct from coalesce(documents, 0) or next_number - 1 is distinct from coalesce(highest, 0)`,
  },
  {
    never: 'does a document have its number twice, or another number than its series and sequence give',
    query: `
      select format('%s: %s %s', number, series, sequence) as found from invoices
      where finalized_at is not null and (number not like '%' || sequence
        or (select count(*) from invoices other where other.number = invoices.number) > 1)`,
  },
  {
    never: 'is the hash chain of a series broken',
    query: `
      select format('%s %s', series, number) as found
      from (select series, number, hash, previous_hash, lag(hash) over (partition by series order by sequence) as before
        from invoices where finalized_at is not null) as chained
      where hash is null or previous_hash is distinct from before
      union all
      select format('%s: its last hash is not that of its last document', code) from number_series
      where next_number > 1 and last_hash is distinct from
        (select hash from invoices where series = code order by sequence desc limit 1)`,
  },
  {
    never: 'does a date of issue go back within a series',
    query: `
      select format('%s: %s on %s after %s', series, number, issued_on, before) as found
      from (select series, number, issued_on, lag(issued_on) over (partition by series order by sequence) as before
        from invoices where finalized_at is not null) as dated
      where issued_on < before
      union all
      select format('%s: last on %s', code, last_issued_on) from number_series
      where last_issued_on is distinct from (select max(issued_on) from invoices where series = code)`,
  },
  {
    never: 'does what is on a test clock take a number of the real series, or the other way round',
    query: `
      select format('%s %s', series, number) as found from invoices
      where finalized_at is not null and (test_clock_id is not null) <> (series ~ '^TEST[0-9]+-')`,
  },
  {
    never: 'is an invoice of another customer, currency or clock than its document',
    query: `
      select format('%s and document %s', number, document.id) as found
      from invoices join subscription_documents document on document.id = invoices.document_id
      where (coalesce(invoices.served_customer_id, invoices.customer_id), invoices.currency, invoices.test_clock_id)
        is distinct from (document.customer_id, document.currency, document.test_clock_id)`,
  },
]
