import { offsetDays, type InvoicedLine } from '#domain/invoicing-dates.ts'
import { dayAfter, has, integer, intervalOf, text, timingOf, type Inputs } from './calendar-inputs.ts'

/** A line of inclusive dates, as the other engine writes it, as one of ours. */
export function invoicedLineOf(inputs: Inputs): InvoicedLine {
  const interval = intervalOf(inputs['rule'], inputs['interval'] ?? 1)
  const timing = timingOf(inputs['invoicing'])
  const dayAfterOf = (name: string) => (has(inputs, name) ? dayAfter(text(inputs, name)) : null)
  return {
    startsOn: text(inputs, 'date_start'),
    endsOn: dayAfterOf('date_end'),
    billedUntil: dayAfterOf('last_invoiced'),
    interval,
    timing,
    offsetDays: has(inputs, 'offset_days')
      ? integer(inputs, 'offset_days')
      : offsetDays(timing, interval.unit),
    forcedInvoiceOn: has(inputs, 'next_date') ? text(inputs, 'next_date') : null,
  }
}
