import type { SupplierInvoiceRow } from '#db/read/supplier-invoice.ts'
import { filesOf } from '../schemas/supplier-invoice.ts'
import { formatAmount } from './format.ts'
import { ExactMoment } from './parts.tsx'

/** The files of a document, to be saved; why there is none, where the supplier has said so. */
export function SupplierFiles({ row }: { row: SupplierInvoiceRow }) {
  return filesOf(row).map(({ kind, href, missing }) => (
    <div class="hint">
      {href === null ? `No ${kind.toUpperCase()}: ${missing ?? ''}` : <a href={href}>{kind.toUpperCase()}</a>}
    </div>
  ))
}

/** How a document stands over there, as the supplier says: what we know of it ourselves is another matter. */
export function SupplierSays({ row, timeZone }: { row: SupplierInvoiceRow; timeZone: string }) {
  const { said_state: state, said_since: since } = row
  if (state === null || since === null) return null
  const { said_paid_minor: paid, said_credited_minor: credited, said_open_minor: open } = row
  const amounts: [number | null, string][] = [
    [paid, 'paid'],
    [credited, 'credited'],
    [open, 'open'],
  ]
  return (
    <div class="hint">
      {state.replaceAll('_', ' ')}, says supplier:{' '}
      {amounts
        .flatMap(([amount, word]) => (amount ? `${formatAmount(amount, row.currency)} ${word}` : []))
        .join(', ')}{' '}
      <ExactMoment at={since} timeZone={timeZone} />
    </div>
  )
}
