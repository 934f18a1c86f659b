const copyOfLine = (change: string, where: string) => `
  insert into invoice_lines select (jsonb_populate_record(source, ${change} || jsonb_build_object('id', gen_random_uuid(), 'position', 900))).*
  from invoice_lines as source where ${where} limit 1`

const newestInvoice = `(select id from invoices where kind = 'invoice' and total_minor > 0 order by id desc limit 1)`

/** Harm that the database refuses to the product, by the invariant that must find it. */
export const plants: Readonly<Record<string, readonly string[]>> = {
  'is a living instance without its place on its own server, unless its build was undone': [
    `delete from reservations where released_at is null`,
    `update reservations set released_at = now() where released_at is null`,
    `update reservations set server_id = gen_random_uuid()`,
  ],
  'does a destroyed instance hold a place on a server': [
    `update instances set destroyed_at = now(), state = 'destroyed' where destroyed_at is null`,
  ],
  'is a day of a line charged twice, or credited twice': [
    copyOfLine(`'{}'`, `kind = 'recurring'`),
    copyOfLine(`'{}'`, `kind = 'credit'`),
    copyOfLine(
      `jsonb_build_object('service_period', daterange(lower(service_period) - 1, lower(service_period) + 1))`,
      `kind = 'usage'`,
    ),
  ],
  'is a one-time fee or a one-off charged twice': [
    copyOfLine(`'{}'`, `kind = 'one_time'`),
    copyOfLine(`'{}'`, `kind = 'one_off'`),
  ],
  'does a line overlap its successor': [
    `update subscription_lines set starts_on = starts_on - 1 where id <> first_line_id`,
    `update subscription_lines set ends_on = null where ends_on is not null and exists (
      select from subscription_lines later where later.first_line_id = subscription_lines.first_line_id and later.id > subscription_lines.id)`,
  ],
  'is a period of a document billed twice, or left out: from the first on they tile': [
    `delete from billing_periods where period_index = 1`,
    `delete from billing_periods where period_index = 0`,
    `update billing_periods set period = daterange(lower(period) - 1, upper(period)) where period_index = 2`,
    `update billing_periods set period_index = period_index + 100 where period_index >= 3`,
  ],
  'does a document stand elsewhere than at the end of its last period': [
    `update subscription_documents set next_period_index = next_period_index - 1`,
    `update subscription_documents set next_invoice_on = next_invoice_on + 1`,
  ],
  'is a period billed on an invoice of another document, or of another day': [
    `update billing_periods set invoice_id = (select invoice_id from billing_periods where period_index = 3 and invoice_id is not null limit 1)
      where period_index = 2`,
    `update invoices set document_id = gen_random_uuid() where document_id is not null`,
  ],
  'is there a hole between two charges of a line, or before its first': [
    `delete from invoice_lines where kind = 'recurring' and lower(service_period) = '2026-03-31'`,
    `delete from invoice_lines where kind = 'usage' and lower(service_period) = '2026-01-31'`,
    `update invoice_lines set service_period = daterange(lower(service_period), upper(service_period) - 1) where kind = 'recurring'`,
  ],
  'is a subscription over before its last day is charged': [
    `delete from invoice_lines where kind = 'recurring' and subscription_id in (select id from subscriptions where phase = 'ended')`,
  ],
  'is a subscription over before what was paid beyond its last day is given back': [
    `delete from invoice_lines where kind = 'credit' and subscription_id in (select id from subscriptions where phase = 'ended')`,
  ],
  'is a document a day overdue, and neither billed nor parked with a task': [
    `update subscription_documents set next_invoice_on = next_invoice_on - 70 where closed_at is null`,
    `update test_clocks set now_at = now_at + interval '100 days'`,
  ],
  'is anything parked without an open task': [
    `update subscription_documents set parked_reason = 'unit_not_convertible'`,
    `update subscriptions set parked_reason = 'bill_failed'`,
  ],
  'do two usage windows of a line overlap, but for late ones': [
    `update usage_windows set window_period = tstzrange(lower(window_period) - interval '1 s', upper(window_period)) where not is_late`,
    `update usage_windows set is_late = false where is_late`,
  ],
  'is a frozen window billed on no line, or on two of one revision': [
    `update invoice_lines set usage_window_id = null where kind = 'usage'`,
    copyOfLine(`'{}'`, `kind = 'late_usage'`),
  ],
  'does a usage line, with what it does not bill, say another quantity than its window, or have none': [
    `update usage_windows set quantity = quantity + 0.01`,
    `update invoice_lines set unit = 'MiB' where kind = 'late_usage'`,
    `update invoice_lines set usage_window_id = null where kind = 'usage'`,
    `update usage_windows set is_late = not is_late`,
  ],
  'does a window hold another number of amounts than there are, or where they are summed another sum': [
    `update usage_events set quantity = quantity + 1 where not is_late`,
    `update late_usage_events set usage_window_id = null`,
    `update usage_events set occurred_at = occurred_at + interval '3 months' where not is_late`,
    `insert into late_usage_events (usage_event_id, subscription_line_id) select event.id, line.id from usage_events event join subscription_lines line using (subscription_id, metric) where not is_late`,
  ],
  'does a document say another sum than its lines, or its total another than net plus tax': [
    `update invoices set total_minor = total_minor + 1`,
    `update invoice_lines set amount_minor = amount_minor - 1 where kind = 'credit'`,
    `update invoice_lines set tax_minor = tax_minor + 1 where kind = 'usage'`,
    `update invoices set net_minor = -net_minor, tax_minor = -tax_minor, total_minor = -total_minor where kind = 'credit_note'`,
    copyOfLine(`'{}'`, `kind = 'recurring'`),
  ],
  'is a finalized document without lines': [`delete from invoice_lines where invoice_id = ${newestInvoice}`],
  'does a line come to something else than its price less its discounts': [
    `update invoice_lines set rated_minor = rated_minor + 1 where kind = 'one_off'`,
    `update invoice_lines set discount_minor = -1, rated_minor = rated_minor - 1 - discount_minor where kind = 'recurring'`,
    `update invoice_lines set discount_minor = discount_minor + 1, rated_minor = rated_minor + 1 where kind = 'credit'`,
    `update invoices set are_prices_inclusive = true`,
  ],
  'is the tax of a document not broken down by the categories and rates of its lines': [
    `update invoice_taxes set base_minor = base_minor + 1`,
    `update invoice_taxes set rate_percent = 7`,
    `update invoice_taxes set category = 'reverse_charge'`,
    `delete from invoice_taxes`,
    `update invoice_taxes set invoice_id = gen_random_uuid()`,
  ],
  'does the tax of a rate differ from what the rounding that the document states gives': [
    `update invoice_taxes set tax_minor = tax_minor + 1`,
    `update invoices set tax_rounding = 'line'`,
    `with priced as (update invoices set are_prices_inclusive = true) update invoice_taxes set tax_minor = tax_minor - 1`,
  ],
  'does the sum of the broken-down tax differ from the tax of the document': [
    `update invoices set tax_minor = tax_minor - 1`,
    `delete from invoice_taxes where tax_minor <> 0`,
  ],
  'is more of a line given back than was charged, or to another customer': [
    `update invoice_lines set amount_minor = -100000 where kind = 'credit'`,
    `update invoice_lines set tax_minor = -100000 where kind = 'credit'`,
    `update invoice_lines set amount_minor = 1 where kind = 'credit'`,
    `update invoices set customer_id = gen_random_uuid() where kind = 'credit_note'`,
    copyOfLine(`'{"amount_minor": -100000}'`, `kind = 'credit'`),
  ],
  'is a line given back as a whole and not its tax, or the other way round': [
    `update invoice_lines credit set amount_minor = -charge.amount_minor from invoice_lines charge
      where charge.id = credit.credits_line_id and credit.kind = 'credit'`,
  ],
  'does a credit for unused days lie outside of what was charged, or bear other tax': [
    `update invoice_lines set service_period = daterange(lower(service_period), upper(service_period) + 1) where kind = 'credit'`,
    `update invoice_lines set credits_line_id = null where kind = 'credit'`,
    `update invoice_lines set tax_rate_percent = 16.5 where kind = 'credit'`,
    `update invoice_lines set subscription_line_id = gen_random_uuid() where kind = 'credit'`,
  ],
  'do the credit notes of an invoice exceed it, or credit lines of another': [
    `update invoices set corrects_id = (select id from invoices where total_minor = 0 or kind = 'invoice' order by total_minor limit 1),
      total_minor = 10000000 where kind = 'credit_note'`,
    `update invoice_lines set kind = 'correction' where kind = 'credit'`,
  ],
  'is a line billed anew before it was given back in full': [
    copyOfLine(`'{"revision": 1}'`, `kind = 'recurring'`),
    copyOfLine(`'{"revision": 2}'`, `kind = 'usage'`),
  ],
  'is more set against an invoice than its total, or taken from a credit note than it has': [
    `update allocations set amount_minor = 10000000`,
    `update allocations set invoice_id = ${newestInvoice}, credit_note_id = (select id from invoices where kind = 'credit_note' limit 1),
      amount_minor = 10000000`,
  ],
  'does a credit note pay for what is not finalized, of another customer, currency or clock, or no invoice': [
    `update allocations set invoice_id = (select id from invoices where kind = 'credit_note' limit 1)`,
    `update allocations set credit_note_id = ${newestInvoice}`,
    `update invoices set finalized_at = null where kind = 'invoice'`,
  ],
  'does the balance of a customer differ from what came to be owed less what was used': [
    `update customer_balances set amount_minor = amount_minor + 1`,
    `delete from allocations where kind = 'balance'`,
    `insert into customer_balances (customer_id, currency, amount_minor) select id, 'EUR', 5 from customers limit 1`,
    `update invoices set test_clock_id = null where kind = 'credit_note'`,
  ],
  'is an invoice void that is not given back in full': [
    `insert into invoice_marks (id, invoice_id, kind, reason, actor, marked_at)
      select gen_random_uuid(), ${newestInvoice}, 'void', 'a slip', 'test', now()`,
  ],
  'is a discount used more often than it may be': [
    `update discounts set use_count = maximum_uses + 1`,
    `update discounts set use_count = 0`,
  ],
  'is there a gap in the numbers of a series, from 1 on': [
    `delete from invoices where sequence = 2`,
    `delete from invoices where sequence = 1`,
    `update invoices set sequence = sequence + 1 where sequence >= 3`,
  ],
  'does a counter differ from its highest number, or from their count': [
    `update number_series set next_number = next_number + 1`,
    `delete from number_series`,
    `delete from invoices where sequence = 2`,
    `insert into number_series (code, next_number) values ('LOST', 3)`,
  ],
  'does a document have its number twice, or another number than its series and sequence give': [
    `update invoices set number = 'INV-00001'`,
    `update invoices set number = number || '0'`,
  ],
  'is the hash chain of a series broken': [
    `update invoices set hash = null where sequence = 2`,
    `update invoices set previous_hash = null where sequence = 3`,
    `update invoices set hash = sha256('x') where sequence = 2`,
    `update invoices set previous_hash = sha256('x') where sequence = 1`,
    `update number_series set last_hash = sha256('x')`,
  ],
  'does a date of issue go back within a series': [
    `update invoices set issued_on = issued_on + 400 where sequence = 2`,
    `update number_series set last_issued_on = last_issued_on - 1`,
  ],
  'does what is on a test clock take a number of the real series, or the other way round': [
    `update invoices set series = 'INV'`,
    `update invoices set test_clock_id = null`,
  ],
  'is an invoice of another customer, currency or clock than its document': [
    `update invoices set customer_id = gen_random_uuid() where document_id is not null`,
    `update invoices set currency = 'EUR' where document_id is not null`,
    `update invoices set test_clock_id = null`,
  ],
}
