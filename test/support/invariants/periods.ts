import type { Invariant } from './invariant.ts'

/** First day of a line that is paid for: after its trial, which is counted from the first line of its life. */
const firstPaidDay = `greatest(line.starts_on, (select min(first.starts_on) from subscription_lines first
  where first.first_line_id = line.first_line_id) + coalesce((line.terms ->> 'trialDays')::integer, 0))`

/** Usage of 0 that is left out has no line to find. */
const isShown = `coalesce((line.terms ->> 'isZeroShown')::boolean, true)`

/** What a test clock says to what is on it, and the real time to the rest. */
const documentNow = `coalesce((select now_at from test_clocks where id = document.test_clock_id), now())`

/** Days that are billed: none twice, none forgotten. */
export const periodInvariants: readonly Invariant[] = [
  {
    never: 'is a day of a line charged twice, or credited twice',
    query: `
      select format('line %s: %s %s and %s', one.subscription_line_id, one.kind, one.service_period, other.service_period) as found
      from invoice_lines one
      join invoice_lines other on other.subscription_line_id = one.subscription_line_id and other.kind = one.kind
        and other.revision = one.revision and other.id > one.id and other.service_period && one.service_period
      where one.kind in ('recurring', 'usage', 'credit', 'true_up')`,
  },
  {
    never: 'is a one-time fee or a one-off charged twice',
    query: `
      select format('%s of %s', kind, coalesce(subscription_line_id, one_off_charge_id)) as found
      from invoice_lines where kind in ('one_time', 'one_off')
      group by kind, subscription_line_id, one_off_charge_id, revision having count(*) > 1`,
  },
  {
    never: 'does a line overlap its successor',
    query: `
      select format('lines %s and %s', one.id, other.id) as found
      from subscription_lines one join subscription_lines other on other.first_line_id = one.first_line_id and other.id > one.id
      where daterange(one.starts_on, one.ends_on) && daterange(other.starts_on, other.ends_on)
        and one.starts_on is not null and other.starts_on is not null`,
  },
  {
    never: 'is a period of a document billed twice, or left out: from the first on they tile',
    query: `
      select format('document %s, period %s %s', document_id, period_index, period) as found
      from (select billing_periods.*, document.own_anchor_on, lag(period_index) over periods as index_before,
          lag(upper(period)) over periods as end_before
        from billing_periods join subscription_documents document on document.id = document_id
        window periods as (partition by document_id order by period_index)) as tile
      where case when index_before is not null then period_index <> index_before + 1 or lower(period) <> end_before
        -- Of a document that follows the calendar, the part before its first whole period is billed by itself.
        else period_index > case when own_anchor_on is null then 0 else 1 end end`,
  },
  {
    never: 'does a document stand elsewhere than at the end of its last period',
    query: `
      select format('document %s stands at period %s, %s', id, next_period_index, next_invoice_on) as found
      from subscription_documents document cross join lateral (
        select max(period_index) as last_index, max(upper(period)) as ends_on from billing_periods where document_id = document.id) billed
      where next_period_index <> last_index + 1 or next_invoice_on <> ends_on`,
  },
  {
    never: 'is a period billed on an invoice of another document, or of another day',
    query: `
      select format('document %s, period %s: %s', period.document_id, period.period_index, invoice.billing_key) as found
      from billing_periods period join invoices invoice on invoice.id = period.invoice_id
      where invoice.document_id is distinct from period.document_id
        or invoice.billing_key not like 'document/%/' || lower(period.period)`,
  },
  {
    never: 'is there a hole between two charges of a line, or before its first',
    query: `
      select format('line %s: %s', line.id, charge.service_period) as found
      from (select subscription_line_id, service_period,
          lag(upper(service_period)) over (partition by subscription_line_id order by service_period) as end_before
        from invoice_lines where kind in ('recurring', 'usage') and revision = 0) as charge
      join subscription_lines line on line.id = charge.subscription_line_id
      where lower(service_period) <> coalesce(end_before, ${firstPaidDay}) and ${isShown}`,
  },
  {
    never: 'is a subscription over before its last day is charged',
    query: `
      select format('line %s ends on %s', line.id, line.ends_on) as found
      from subscription_lines line join subscriptions on subscriptions.id = line.subscription_id
      where subscriptions.phase = 'ended' and line.interval_unit is not null and line.terms ->> 'periodCount' is null
        and line.ends_on > ${firstPaidDay} and ${isShown}
        and not exists (select from invoice_lines charge where charge.subscription_line_id = line.id
          and charge.kind in ('recurring', 'usage') and upper(charge.service_period) >= line.ends_on)
        and not exists (select from tasks where subject_id = subscriptions.id and kind = 'bill_failed' and closed_at is null)`,
  },
  {
    never: 'is a subscription over before what was paid beyond its last day is given back',
    query: `
      select format('line %s: charged %s, ended on %s', line.id, charge.service_period, line.ends_on) as found
      from invoice_lines charge
      join subscription_lines line on line.id = charge.subscription_line_id
      join subscriptions on subscriptions.id = line.subscription_id
      where subscriptions.phase = 'ended' and charge.kind = 'recurring' and upper(charge.service_period) > line.ends_on
        and charge.amount_minor > 0 and coalesce(line.terms ->> 'unusedTime', 'credit') <> 'keep'
        and coalesce(line.terms ->> 'proration', 'day') <> 'none'
        and not exists (select from invoice_lines credit where credit.credits_line_id = charge.id)
        and not exists (select from tasks where subject_id = subscriptions.id and kind = 'bill_failed' and closed_at is null)`,
  },
  {
    never: 'is a document a day overdue, and neither billed nor parked with a task',
    isOfSettledBooks: true,
    query: `
      select format('document %s is due since %s', document.id, next_invoice_on) as found
      from subscription_documents document
      where closed_at is null and exists (select from subscription_lines where document_id = document.id) and next_invoice_on < (${documentNow} at time zone time_zone)::date - 1
        and not exists (select from tasks where subject_id = document.id and closed_at is null)`,
  },
  {
    never: 'is anything parked without an open task',
    query: `
      select format('document %s: %s', id, parked_reason) as found from subscription_documents
      where parked_reason is not null
        and not exists (select from tasks where subject_kind = 'document' and subject_id = subscription_documents.id and closed_at is null)
      union all
      select format('subscription %s: %s', id, parked_reason) from subscriptions
      where parked_reason is not null
        and not exists (select from tasks where subject_kind = 'subscription' and subject_id = subscriptions.id and closed_at is null)`,
  },
]
