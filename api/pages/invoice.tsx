import { findInvoice, listInvoiceLines, type InvoiceLineRow, type InvoiceRow } from '#db/read/invoice.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { formatAmount, formatPeriod, formatQuantity, formatUnitPrice, plural } from './format.ts'
import { Day, ExactMoment, Table } from './parts.tsx'

export function registerInvoice(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/invoices/:id', permission: 'invoices:read' },
    async (view, ctx) => {
      const publicId = ctx.req.param('id') ?? ''
      const id = decodeId('invoice', publicId)
      const [invoice, lines] = await Promise.all([
        findInvoice(frame.deps.db, id),
        listInvoiceLines(frame.deps.db, id),
      ])
      if (!invoice) throw new BusinessError('not_found', `There is no invoice ${publicId}.`)
      return {
        title: `${titleOf(invoice)} ${invoice.number}`,
        current: 'invoices',
        children: <Invoice view={view} invoice={invoice} lines={lines} />,
      }
    },
  )
}

/** A credit note's amounts are kept positive; to its reader they are money back, as its lines say. */
function signedMinor(invoice: InvoiceRow, amountMinor: number): number {
  return invoice.kind === 'credit_note' ? -amountMinor : amountMinor
}

function titleOf(invoice: InvoiceRow): string {
  return invoice.kind === 'credit_note' ? 'Credit note' : 'Invoice'
}

function Invoice(props: { view: ConsoleView; invoice: InvoiceRow; lines: readonly InvoiceLineRow[] }) {
  const { invoice } = props
  return (
    <article class="invoice" aria-labelledby="invoice-title">
      <p class="screen-only">
        <a href="/invoices">← All invoices</a>
      </p>
      {invoice.test_clock_name !== null && (
        <div class="banner note" role="note">
          <strong>Not a real invoice:</strong> it was made on test clock {invoice.test_clock_name}.
        </div>
      )}
      <header>
        <h1 id="invoice-title">
          {titleOf(invoice)} <span class="number-of">{invoice.number}</span>
        </h1>
        <p class="total">{formatAmount(signedMinor(invoice, invoice.total_minor), invoice.currency)}</p>
      </header>
      <Parties invoice={invoice} />
      <InvoiceLines {...props} />
      <WhatToDo invoice={invoice} />
    </article>
  )
}

function WhatToDo({ invoice }: { invoice: InvoiceRow }) {
  const amount = formatAmount(invoice.total_minor, invoice.currency)
  if (invoice.kind === 'credit_note') return <p>{amount} are credited to you; there is nothing to pay.</p>
  if (invoice.total_minor === 0 || invoice.test_clock_id !== null) return <p>There is nothing to pay.</p>
  return (
    <p>
      Please pay {amount} by <Day date={invoice.due_on} />, with the reference {invoice.number}.
    </p>
  )
}

function Parties({ invoice }: { invoice: InvoiceRow }) {
  return (
    <div class="parties">
      <section aria-labelledby="seller-title">
        <h2 id="seller-title">From</h2>
        <address>
          <strong>{invoice.seller.name}</strong>
          <Address text={invoice.seller.address} />
          {invoice.seller.taxId !== null && <span>Tax id {invoice.seller.taxId}</span>}
        </address>
      </section>
      <section aria-labelledby="buyer-title">
        <h2 id="buyer-title">To</h2>
        <address>
          <strong>{invoice.buyer.name}</strong>
          <Address text={invoice.buyer.address ?? ''} />
          {invoice.buyer.email !== null && <span>{invoice.buyer.email}</span>}
        </address>
      </section>
      <dl class="facts">
        <dt>Issued</dt>
        <dd>
          <Day date={invoice.issued_on} />
        </dd>
        {invoice.kind === 'invoice' && (
          <>
            <dt>Due</dt>
            <dd>
              <Day date={invoice.due_on} />
            </dd>
          </>
        )}
        <dt>Currency</dt>
        <dd>{invoice.currency}</dd>
      </dl>
    </div>
  )
}

function Address({ text }: { text: string }) {
  return (
    <>
      {text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => (
          <span>{line}</span>
        ))}
    </>
  )
}

function InvoiceLines(props: { view: ConsoleView; invoice: InvoiceRow; lines: readonly InvoiceLineRow[] }) {
  const { invoice } = props
  const sum = (name: string, amountMinor: number, isTotal = false) => (
    <tr class={isTotal ? 'grand' : undefined}>
      <th scope="row" colspan={5}>
        {name}
      </th>
      <td class="number">{formatAmount(signedMinor(invoice, amountMinor), invoice.currency)}</td>
    </tr>
  )
  return (
    <Table
      caption={`Lines of ${invoice.number}`}
      head={[
        'Description',
        'Service period',
        { number: 'Quantity' },
        'Unit',
        { number: 'Unit price' },
        { number: 'Amount' },
      ]}
      foot={
        <tfoot>
          {sum('Net', invoice.net_minor)}
          {sum('Tax', invoice.tax_minor)}
          {sum('Total', invoice.total_minor, true)}
        </tfoot>
      }
    >
      {props.lines.map((line) => (
        <InvoiceLine view={props.view} invoice={invoice} line={line} />
      ))}
    </Table>
  )
}

function InvoiceLine(props: { view: ConsoleView; invoice: InvoiceRow; line: InvoiceLineRow }) {
  const { line, invoice } = props
  const period =
    line.starts_on !== null && line.ends_on !== null ? (
      <>
        <time datetime={`${line.starts_on}/${line.ends_on}`}>
          {formatPeriod(line.starts_on, line.ends_on)}
        </time>
      </>
    ) : (
      'once'
    )
  return (
    <tr>
      <th scope="row">
        {line.description}
        {line.kind === 'credit' && <span class="hint"> (credit)</span>}
        <div class="hint">
          <a href={`/subscriptions/${encodeId('subscription', line.subscription_id)}`}>
            {line.subscription_title}
          </a>
        </div>
        <Explanation {...props} />
      </th>
      <td>{period}</td>
      <td class="number">{formatQuantity(line.quantity)}</td>
      <td>{line.unit}</td>
      <td class="number">{formatUnitPrice(line.unit_price, invoice.currency)}</td>
      <td class="number">{formatAmount(line.amount_minor, invoice.currency)}</td>
    </tr>
  )
}

/** How the amount came about; kept with the line when it was rated, so that it can never differ from the amount. */
function Explanation({
  view,
  invoice,
  line,
}: {
  view: ConsoleView
  invoice: InvoiceRow
  line: InvoiceLineRow
}) {
  const { formula, daysServed, daysOfCycle, usage } = line.explanation
  return (
    <details class="explanation" id={`why-${line.position}`}>
      <summary>
        How this came about<span class="visually-hidden">: {line.description}</span>
      </summary>
      <p>
        <code>{formula}</code> = {formatAmount(line.amount_minor, invoice.currency)}, rounded once.
      </p>
      {daysServed !== undefined && daysOfCycle !== undefined && (
        <p>
          {daysServed === daysOfCycle
            ? `The whole period of ${plural(daysOfCycle, 'day')}.`
            : `${plural(daysServed, 'day')} of a period of ${plural(daysOfCycle, 'day')}.`}
        </p>
      )}
      {usage !== undefined && (
        <p>
          Measured: {formatQuantity(usage.quantity)} {usage.unit}, from{' '}
          {plural(usage.readingCount, 'reading')}
          {usage.eventCount > 0 && ` and ${plural(usage.eventCount, 'reported event')}`}.
          {usage.firstReadAt !== null && usage.lastReadAt !== null && (
            <>
              {' '}
              First read <ExactMoment at={usage.firstReadAt} timeZone={view.timeZone} />, last{' '}
              <ExactMoment at={usage.lastReadAt} timeZone={view.timeZone} />.
            </>
          )}
        </p>
      )}
    </details>
  )
}
