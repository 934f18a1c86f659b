import { z } from 'zod'
import { dateIn } from '#domain/calendar.ts'
import { monthField } from '../schemas/expense.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatMonth } from './format.ts'

/** Of a page of one month. */
export const monthQuery = z.object({ month: monthField.optional() })

/** The one that is asked for, or the present one. */
export function shownMonth(view: ConsoleView, asked: string | undefined): string {
  return asked ?? dateIn(view.timeZone, view.now).slice(0, 7)
}

/** The month that is shown, and the ones beside it. */
export function Months(props: { path: string; month: string; kept?: string }) {
  const { path: at, month, kept = '' } = props
  const beside = (months: number) => Temporal.PlainYearMonth.from(month).add({ months }).toString()
  return (
    <nav class="filter" aria-label="Month">
      {[-1, 0, 1].map((months) => (
        <a href={`${at}?month=${beside(months)}${kept}`} aria-current={months === 0 ? 'true' : undefined}>
          {formatMonth(beside(months))}
        </a>
      ))}
    </nav>
  )
}
