import type { Invariant } from './invariant.ts'

/** What pays for documents, and what is owed to customers. */
export const settlementInvariants: readonly Invariant[] = [
  {
    never: 'is more set against an invoice than its total, or taken from a credit note than it has',
    query: `
      select format('%s: %s of %s', number, sum(amount_minor), total_minor) as found
      from allocations join invoices on invoices.id = allocations.invoice_id
      group by invoices.id having sum(amount_minor) > total_minor
      union all
      select format('%s: %s of %s', number, sum(amount_minor), total_minor)
      from allocations join invoices on invoices.id = allocations.credit_note_id
      group by invoices.id having sum(amount_minor) > total_minor`,
  },
  {
    never:
      'does a credit note pay for what is not finalized, of another customer, currency or clock, or no invoice',
    query: `
      select format('%s on %s', note.number, invoice.number) as found
      from allocations
      join invoices invoice on invoice.id = allocations.invoice_id
      left join invoices note on note.id = allocations.credit_note_id
      where invoice.kind <> 'invoice' or invoice.finalized_at is null
        or (note.id is not null and (note.kind <> 'credit_note' or note.finalized_at is null
          or (note.customer_id, note.currency, note.test_clock_id) is distinct from (invoice.customer_id, invoice.currency, invoice.test_clock_id)))`,
  },
  {
    never: 'does the balance of a customer differ from what came to be owed less what was used',
    query: `
      with owed as (
        select customer_id, currency, test_clock_id, total_minor
          - (select coalesce(sum(amount_minor), 0) from allocations where credit_note_id = invoices.id) as amount_minor
        from invoices where kind = 'credit_note' and finalized_at is not null
        union all
        select customer_id, currency, test_clock_id, -allocations.amount_minor
        from allocations join invoices on invoices.id = allocations.invoice_id where allocations.kind = 'balance'
        union all
        select customer_id, currency, test_clock_id, amount_minor from balance_movements
      ), expected as (
        select customer_id, currency, test_clock_id, sum(amount_minor) as amount_minor from owed group by 1, 2, 3
      )
      select format('customer %s: %s %s, expected %s', customer_id, amount_minor, currency, expected_minor) as found
      from (
        select customer_id, currency, test_clock_id, sum(amount_minor) as amount_minor, sum(expected_minor) as expected_minor
        from (select customer_id, currency, test_clock_id, amount_minor, 0 as expected_minor from customer_balances
          union all select customer_id, currency, test_clock_id, 0, amount_minor from expected) as sides
        group by 1, 2, 3) as compared
      where amount_minor <> expected_minor`,
  },
  {
    never: 'is an invoice void that is not given back in full',
    query: `
      select format('%s: %s of %s', number, line.description, line.amount_minor) as found
      from invoice_marks join invoices on invoices.id = invoice_marks.invoice_id
      join invoice_lines line on line.invoice_id = invoices.id
      where invoice_marks.kind = 'void' and ended_at is null and -line.amount_minor <> (
        select coalesce(sum(credit.amount_minor + coalesce(undone.amount_minor, 0)), 0) from invoice_lines credit
        left join lateral (select sum(amount_minor) as amount_minor from invoice_lines where credits_line_id = credit.id) undone on true
        where credit.credits_line_id = line.id)`,
  },
  {
    never: 'is a discount used more often than it may be',
    query: `
      select format('%s: used %s of %s, %s have it', code, use_count, maximum_uses, customers) as found
      from discounts cross join lateral (
        select count(distinct customer_id) as customers from applied_discounts where discount_id = discounts.id) as applied
      where use_count > maximum_uses or customers > use_count`,
  },
]
