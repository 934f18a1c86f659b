import type { Invariant } from './invariant.ts'

const sign = `case invoice.kind when 'credit_note' then -1 else 1 end`

/** Each line by each of the rates it was taxed with; a correction was taxed as the line that it takes from. */
const taxedLines = `
  select line.invoice_id, line.tax_category as category, coalesce(rate ->> 'name', '') as name,
    coalesce((rate ->> 'ratePercent')::numeric, 0) as rate_percent, coalesce(explained.tax ->> 'note', '') as note,
    line.amount_minor, line.tax_minor, line.amount_minor + line.tax_minor as gross_minor,
    line.kind in ('credit', 'correction') as is_mirror,
    coalesce(jsonb_array_length(explained.tax -> 'rates'), 0) as rate_count
  from invoice_lines line
  left join invoice_lines corrected on line.kind = 'correction' and corrected.id = line.credits_line_id
  cross join lateral (select coalesce(line.explanation -> 'tax', corrected.explanation -> 'tax') as tax) as explained
  left join lateral jsonb_array_elements(explained.tax -> 'rates') as rate on true
  where not line.is_text`

/** What tax comes to by the rounding that the document states; null where lines of several rates share one. */
const expectedTax = `
  case when invoice.are_prices_inclusive and max(rate_count) > 1 then null
    when invoice.are_prices_inclusive and tax_rounding = 'line'
      then sum(gross_minor - round(gross_minor * 100 / (100 + rate_percent)))
    when invoice.are_prices_inclusive then sum(gross_minor) - round(sum(gross_minor) * 100 / (100 + rate_percent))
    when tax_rounding = 'line' then sum(round(taxed.amount_minor * rate_percent / 100))
    else round(sum(taxed.amount_minor * rate_percent) / 100) end`

/** What was taken back of a line; what was itself taken back with its credit note counts for nothing. */
const creditedLines = `
  select charge.id, charge.amount_minor, charge.tax_minor, -sum(credit.amount_minor + coalesce(undone.amount_minor, 0)) as credited_minor,
    -sum(credit.tax_minor + coalesce(undone.tax_minor, 0)) as credited_tax_minor,
    bool_and(coalesce(by_invoice.served_customer_id, by_invoice.customer_id) = coalesce(of_invoice.served_customer_id, of_invoice.customer_id) and by_invoice.currency = of_invoice.currency) as is_of_customer
  from invoice_lines charge
  join invoices of_invoice on of_invoice.id = charge.invoice_id
  join invoice_lines credit on credit.credits_line_id = charge.id
  join invoices by_invoice on by_invoice.id = credit.invoice_id
  left join lateral (select sum(amount_minor) as amount_minor, sum(tax_minor) as tax_minor
    from invoice_lines where credits_line_id = credit.id) undone on true
  group by charge.id`

/** Sums, taxes and credits of documents. */
export const moneyInvariants: readonly Invariant[] = [
  {
    never: 'does a document say another sum than its lines, or its total another than net plus tax',
    query: `
      select format('%s: %s + %s = %s, lines %s + %s', coalesce(invoice.number, invoice.id::text), net_minor, invoice.tax_minor,
        total_minor, lines.net, lines.tax) as found
      from invoices invoice cross join lateral (
        select coalesce(sum(amount_minor), 0) * (${sign}) as net, coalesce(sum(tax_minor), 0) * (${sign}) as tax
        from invoice_lines where invoice_id = invoice.id) lines
      where net_minor <> lines.net or invoice.tax_minor <> lines.tax or total_minor <> net_minor + invoice.tax_minor or total_minor < 0`,
  },
  {
    never: 'is a finalized document without lines',
    query: `
      select number as found from invoices
      where finalized_at is not null and not exists (select from invoice_lines where invoice_id = invoices.id)`,
  },
  {
    never: 'does a line come to something else than its price less its discounts',
    query: `
      select format('invoice line %s: %s - %s, %s + %s', line.id, rated_minor, discount_minor, line.amount_minor, line.tax_minor) as found
      from invoice_lines line join invoices invoice on invoice.id = line.invoice_id
      where rated_minor - discount_minor
          <> line.amount_minor + case when are_prices_inclusive then line.tax_minor else 0 end
        or discount_minor < 0 or (rated_minor >= 0 and discount_minor > rated_minor)
        or (line.kind in ('credit', 'correction') and discount_minor <> 0)`,
  },
  {
    never: 'is the tax of a document not broken down by the categories and rates of its lines',
    query: `
      select format('%s: %s %s at %s percent: base %s, lines %s', coalesce(broken_down.invoice_id, by_lines.invoice_id), name, category,
        rate_percent, broken_down.base, by_lines.base) as found
      from (select invoice_id, category, name, rate_percent, coalesce(note, '') as note, sum(base_minor) as base
        from invoice_taxes group by 1, 2, 3, 4, 5) as broken_down
      full join (select invoice_id, category, name, rate_percent, note, sum(amount_minor) as base
        from (${taxedLines}) as taxed group by 1, 2, 3, 4, 5) as by_lines
        using (invoice_id, category, name, rate_percent, note)
      where broken_down.base is distinct from by_lines.base`,
  },
  {
    never: 'does the tax of a rate differ from what the rounding that the document states gives',
    query: `
      with taxed as (${taxedLines}), charges as (
        select invoice_id, category, name, rate_percent, note, ${expectedTax} as tax
        from taxed join invoices invoice on invoice.id = invoice_id where not is_mirror group by 1, 2, 3, 4, 5, invoice.id
      ), mirrors as (
        select invoice_id, category, name, rate_percent, note, case when max(rate_count) <= 1 then sum(tax_minor) end as tax
        from taxed where is_mirror group by 1, 2, 3, 4, 5
      ), broken_down as (
        select invoice_id, category, name, rate_percent, coalesce(note, '') as note, sum(tax_minor) as tax
        from invoice_taxes group by 1, 2, 3, 4, 5
      )
      select format('%s: %s at %s percent: %s, expected %s and %s', invoice_id, name, rate_percent, broken_down.tax, charges.tax,
        mirrors.tax) as found
      from broken_down
      left join charges using (invoice_id, category, name, rate_percent, note)
      left join mirrors using (invoice_id, category, name, rate_percent, note)
      -- Unknown where lines of several rates share one rounding.
      where broken_down.tax <> case when charges.invoice_id is null then 0 else charges.tax end
        + case when mirrors.invoice_id is null then 0 else mirrors.tax end`,
  },
  {
    never: 'does the sum of the broken-down tax differ from the tax of the document',
    query: `
      select format('%s: %s, broken down %s', coalesce(invoice.number, invoice.id::text), invoice.tax_minor, taxes.tax) as found
      from invoices invoice cross join lateral (
        select coalesce(sum(tax_minor), 0) * (${sign}) as tax from invoice_taxes where invoice_id = invoice.id) taxes
      where invoice.tax_minor <> taxes.tax`,
  },
  {
    never: 'is more of a line given back than was charged, or to another customer',
    query: `
      select format('invoice line %s: %s and %s tax of %s and %s', id, credited_minor, credited_tax_minor, amount_minor, tax_minor) as found
      from (${creditedLines}) as credited
      where not is_of_customer
        or case when amount_minor >= 0 then credited_minor not between 0 and amount_minor else credited_minor not between amount_minor and 0 end
        or case when tax_minor >= 0 then credited_tax_minor not between 0 and tax_minor else credited_tax_minor not between tax_minor and 0 end`,
  },
  {
    never: 'is a line given back as a whole and not its tax, or the other way round',
    query: `
      select format('invoice line %s: %s and %s tax of %s and %s', id, credited_minor, credited_tax_minor, amount_minor, tax_minor) as found
      from (${creditedLines}) as credited
      where amount_minor <> 0 and credited_minor = amount_minor and credited_tax_minor <> tax_minor`,
  },
  {
    never: 'does a credit for unused days lie outside of what was charged, or bear other tax',
    query: `
      select format('credit %s of %s', credit.service_period, charge.service_period) as found
      from invoice_lines credit left join invoice_lines charge on charge.id = credit.credits_line_id
      where credit.kind = 'credit' and (charge.id is null or not credit.service_period <@ charge.service_period
        or credit.subscription_line_id <> charge.subscription_line_id
        or (credit.tax_category, credit.tax_rate_percent) <> (charge.tax_category, charge.tax_rate_percent))`,
  },
  {
    never: 'do the credit notes of an invoice exceed it, or credit lines of another',
    query: `
      select format('%s: %s of %s', corrected.number, sum(note.total_minor), corrected.total_minor) as found
      from invoices corrected join invoices note on note.corrects_id = corrected.id
      group by corrected.id having sum(note.total_minor) > corrected.total_minor
      union all
      select format('line of %s on a note that corrects %s', charge.invoice_id, note.corrects_id)
      from invoices note join invoice_lines line on line.invoice_id = note.id and line.kind = 'correction'
      join invoice_lines charge on charge.id = line.credits_line_id
      where charge.invoice_id is distinct from note.corrects_id`,
  },
  {
    never: 'is a line billed anew before it was given back in full',
    query: `
      select format('line %s, revision %s of %s', line.subscription_line_id, line.revision, line.service_period) as found
      from invoice_lines line
      cross join lateral (
        select count(*) as count, count(*) filter (where before.amount_minor
          <> -(select coalesce(sum(amount_minor), 0) from invoice_lines where credits_line_id = before.id)) as standing
        from invoice_lines before
        where (before.subscription_line_id, before.one_off_charge_id, before.kind, before.revision)
            is not distinct from (line.subscription_line_id, line.one_off_charge_id, line.kind, line.revision - 1)
          and coalesce(before.service_period && line.service_period, true)) as billed_before
      where line.revision > 0 and line.kind in ('recurring', 'usage', 'one_time', 'one_off') and (count = 0 or standing > 0)`,
  },
]
