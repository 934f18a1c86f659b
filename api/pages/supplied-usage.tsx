import type { z } from '@hono/zod-openapi'
import { getSupplierInvoice, type SupplierInvoiceRow } from '#db/read/supplier-invoice.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { openSuppliedUsage } from '../routes/supplied-usage.ts'
import { suppliedUsageQuery, type suppliedUsageSchema } from '../schemas/peer-question.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { formatAmount, formatDate, formatQuantity } from './format.ts'
import { Empty, ExactMoment, Section, Table } from './parts.tsx'
import { refusedStatus } from './sent-form.ts'
import { UsageDays } from './usage-days.tsx'

type Usage = z.input<typeof suppliedUsageSchema>

/** What a line of a supplier is made of: from the line to its days, and from a day to each reading, as the supplier says it. */
export function registerSuppliedUsagePages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/supplier-invoices/:id/usage', permission: 'supplier_invoices:read' },
    async (view, ctx) => {
      const { db } = frame.deps
      const id = await resolveAddress(db, 'supplierInvoice', ctx.req.param('id') ?? '')
      const invoice = await getSupplierInvoice(db, id)
      if (ctx.req.query('line') === undefined) return body(invoice, <Lines invoice={invoice} />)
      const { line, on = null } = parse(suppliedUsageQuery, ctx.req.query(), 'query')
      const asked = { id, line, on, by: view.operator.name, now: view.now }
      try {
        const usage = await openSuppliedUsage(frame, db, asked)
        return body(invoice, <Opened view={view} invoice={invoice} usage={usage} />)
      } catch (error) {
        if (!(error instanceof BusinessError)) throw error
        return {
          ...body(invoice, <Lines invoice={invoice} refusal={error.message} />),
          status: refusedStatus(error.code),
        }
      }
    },
  )
}

function body(invoice: SupplierInvoiceRow, children: ConsoleBody['children']): ConsoleBody {
  return { title: `Usage of ${invoice.number}`, current: 'suppliers', children }
}

const pathOf = ({ id }: SupplierInvoiceRow) => `/supplier-invoices/${encodeId('supplierInvoice', id)}/usage`

function Lines({ invoice, refusal }: { invoice: SupplierInvoiceRow; refusal?: string }) {
  return (
    <>
      <p class="trail">
        <a href={`/supplier-invoices/${encodeId('supplierInvoice', invoice.id)}`}>
          ← Supplier invoice {invoice.number}
        </a>
      </p>
      <h1>
        Lines of {invoice.number}, {invoice.supplier_name}
      </h1>
      {refusal !== undefined && (
        <div class="banner alarm" role="alert">
          {refusal}
        </div>
      )}
      <Section id="lines" title="Lines">
        <Table caption="Lines" head={['What', { number: 'Quantity' }, { number: 'Amount' }, 'Usage']}>
          {invoice.content.lines.map((line, index) => (
            <tr>
              <th scope="row">{line.description}</th>
              <td class="number">
                {formatQuantity(line.quantity)} {line.unit}
              </td>
              <td class="number">{formatAmount(line.amount_minor, invoice.currency)}</td>
              <td>
                <a href={`${pathOf(invoice)}?line=${index + 1}`}>
                  Ask the supplier<span class="visually-hidden"> for what is behind {line.description}</span>
                </a>
              </td>
            </tr>
          ))}
        </Table>
      </Section>
    </>
  )
}

function Opened({ view, invoice, usage }: { view: ConsoleView; invoice: SupplierInvoiceRow; usage: Usage }) {
  const { description = '' } = invoice.content.lines[usage.line - 1] ?? {}
  const back = usage.on === null ? pathOf(invoice) : `${pathOf(invoice)}?line=${usage.line}`
  return (
    <>
      <p class="trail">
        <a href={back}>← {usage.on === null ? `Lines of ${invoice.number}` : description}</a>
      </p>
      <h1>
        {description}
        {usage.on !== null && ` on ${formatDate(usage.on)}`}
      </h1>
      {usage.window === null ? (
        <Rows view={view} usage={usage} />
      ) : (
        <Window view={view} window={usage.window} path={`${pathOf(invoice)}?line=${usage.line}`} />
      )}
      <p class="hint">
        As {invoice.supplier_name} says it; its signature is kept with it.{' '}
        <code>npx clouder supplier-invoices usage</code> gives it to be passed on.
      </p>
    </>
  )
}

function Window(props: { view: ConsoleView; window: NonNullable<Usage['window']>; path: string }) {
  const { window, view, path } = props
  return (
    <Section id="days" title={`${formatQuantity(window.quantity)} ${window.unit}`}>
      <p>
        Metric {window.metric}, after <ExactMoment at={window.start} timeZone={view.timeZone} /> up to{' '}
        <ExactMoment at={window.end} timeZone={view.timeZone} />.
      </p>
      {window.days.length === 0 ? (
        <Empty>Nothing of it is kept over there any more.</Empty>
      ) : (
        <UsageDays caption="Days" unit={window.unit} days={window.days} pathOf={(on) => `${path}&on=${on}`} />
      )}
    </Section>
  )
}

function Rows({ view, usage }: { view: ConsoleView; usage: Usage }) {
  return (
    <Section id="readings" title="Readings and reported events">
      <Table
        caption="Readings and reported events"
        head={['At', 'Of', { number: 'Value' }, { number: 'Counted' }]}
      >
        {usage.readings.map((reading) => (
          <tr>
            <th scope="row">
              <ExactMoment at={reading.read_at} timeZone={view.timeZone} />
            </th>
            <td>
              {reading.series}
              {reading.opening && ', where counting begins'}
            </td>
            <td class="number">
              {formatQuantity(reading.value)} {reading.unit}
            </td>
            <td class="number">{reading.counted === null ? '–' : formatQuantity(reading.counted)}</td>
          </tr>
        ))}
        {usage.events.map((event) => (
          <tr>
            <th scope="row">
              <ExactMoment at={event.time} timeZone={view.timeZone} />
            </th>
            <td>
              {event.source} {event.id}
            </td>
            <td class="number">
              {formatQuantity(event.quantity)} {event.unit}
            </td>
            <td class="number">{formatQuantity(event.quantity)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}
