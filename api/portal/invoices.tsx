import { fileNameOf, invoiceFileKinds, mediaTypes } from '#domain/invoice-file.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InvoiceRow } from '#db/read/invoice.ts'
import { answerFile } from '../file-answer.ts'
import type { Frame } from '../frame.ts'
import { State } from '../pages/parts.tsx'
import { toListPage } from '../pages/page-links.ts'
import { toPageRequest } from '../pagination.ts'
import { moneyStateOf, openMinorOf } from '../schemas/invoice.ts'
import { MorePages } from './parts.tsx'
import { portalPage, type PortalView } from './portal-page.tsx'

const shownInvoices = 25

/** What a customer was billed, and its files. */
export function registerPortalInvoices(frame: Frame): void {
  portalPage(frame, { method: 'get', path: '/portal/invoices' }, async (own, view, ctx) => {
    const request = toPageRequest({ limit: shownInvoices, ...ctx.req.query() })
    const page = toListPage(await own.invoices(request), request, { path: '/portal/invoices', filter: {} })
    const { words } = view.speech
    return {
      title: words.invoices,
      current: 'invoices',
      children: (
        <>
          <h1>{words.invoices}</h1>
          <section aria-label={words.invoices}>
            {page.rows.length === 0 ? (
              <p class="empty">{words.noInvoices}</p>
            ) : (
              <InvoiceRows rows={page.rows} view={view} />
            )}
            <MorePages view={view} {...page} />
          </section>
        </>
      ),
    }
  })
  for (const kind of invoiceFileKinds) {
    portalPage(frame, { method: 'get', path: `/portal/invoices/:id/${kind}` }, async (own, _view, ctx) => {
      const file = await own.invoiceFile(ctx.req.param('id') ?? '', kind)
      return answerFile(ctx, { ...file, name: fileNameOf(file.number, kind), mediaType: mediaTypes[kind] })
    })
  }
}

export function InvoiceRows({ rows, view }: { rows: readonly InvoiceRow[]; view: PortalView }) {
  return (
    <ul class="rows">
      {rows.map((row) => (
        <Invoice row={row} view={view} />
      ))}
    </ul>
  )
}

function Invoice({ row, view }: { row: InvoiceRow; view: PortalView }) {
  const { words, formats } = view.speech
  const path = `/portal/invoices/${encodeId('invoice', row.id)}`
  const number = row.number ?? ''
  const total = row.kind === 'credit_note' ? -row.total_minor : row.total_minor
  return (
    <li>
      <div>
        <strong>{number}</strong> <Money row={row} view={view} />
        <div class="hint">
          {row.kind === 'credit_note' && `${words.creditNote}, `}
          {words.issued} <time datetime={row.issued_on}>{formats.date(row.issued_on)}</time>
          <Due row={row} view={view} />
        </div>
        {row.test_clock_id !== null && <div class="hint">{words.testNote}</div>}
      </div>
      <strong class="right amount">{formats.amount(total, row.currency)}</strong>
      <div class="files">
        <a href={`${path}/pdf`} aria-label={words.pdfOf(number)}>
          PDF
        </a>
        <a href={`${path}/ubl`} aria-label={words.ublOf(number)}>
          {words.ubl}
        </a>
      </div>
    </li>
  )
}

function Money({ row, view }: { row: InvoiceRow; view: PortalView }) {
  const state = moneyStateOf(row)
  return state === null ? null : <State state={state}>{view.speech.words.moneyStates[state]}</State>
}

/** When it is to be paid, and how much of it, where a part was. */
function Due({ row, view }: { row: InvoiceRow; view: PortalView }) {
  const { words, formats } = view.speech
  const open = openMinorOf(row)
  if (open === 0 || row.is_uncollectible) return null
  return (
    <>
      {', '}
      {words.dueOn(formats.date(row.due_on))}
      {open < row.total_minor && `, ${words.leftToPay(formats.amount(open, row.currency))}`}
    </>
  )
}
