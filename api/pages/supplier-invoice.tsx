import { listDisputesOf } from '#db/read/dispute.ts'
import { listSupplierAllocations, toPayable, type SupplierAllocationRow } from '#db/read/payable.ts'
import {
  getSupplierInvoice,
  listSupplierInvoices,
  type SupplierInvoiceRow,
} from '#db/read/supplier-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { decimalAmount } from '#domain/money.ts'
import { payableDues } from '#domain/payable.ts'
import type { SupplierDocumentLine } from '#domain/supplier-invoice.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { readMappedLines } from '../routes/supplier-invoices.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Disputes, RaiseDispute } from './disputes.tsx'
import { Choice, Folded, PostForm, TextField, type RefusedInput } from './form.tsx'
import { formatAmount, formatPeriod, formatQuantity, formatUnitPrice } from './format.ts'
import { Day, Empty, Fact, Moment, Section, Table } from './parts.tsx'
import { PayableState } from './payables.tsx'
import { SupplierFiles, SupplierSays } from './supplier-says.tsx'

export const supplierInvoicePath = '/supplier-invoices'
export const payForm = 'pay'
export const setOffForm = 'set-off'
export const voidForm = 'void'
/** The newest credits of a supplier of which something is left. */
const mostCredits = 100

/** What a supplier billed, as it came, and beside it what happened to it here. */
export function registerSupplierInvoicePage(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: `${supplierInvoicePath}/:id`, permission: 'supplier_invoices:read' },
    async (view, ctx) => await supplierInvoiceBody(frame, view, ctx.req.param('id') ?? ''),
  )
}

export async function supplierInvoiceBody(
  frame: Frame,
  view: ConsoleView,
  publicId: string,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const { db } = frame.deps
  const id = await resolveAddress(db, 'supplierInvoice', publicId)
  const row = await getSupplierInvoice(db, id)
  const newest = { limit: mostCredits, cursor: null, direction: 'after' } as const
  const [setAgainst, disputes, ofSupplier, mapped] = await Promise.all([
    listSupplierAllocations(db, { invoiceId: id }),
    listDisputesOf(db, { supplierInvoiceId: id }),
    listSupplierInvoices(db, { ...newest, supplierId: row.supplier_id, isOpen: true }),
    readMappedLines(db, row),
  ])
  const credits = ofSupplier.filter((one) => one.owed_minor < 0 && one.currency === row.currency)
  const of = { view, row, refused }
  return {
    title: `Supplier invoice ${row.number}`,
    current: 'suppliers',
    liveFilter: '',
    children: (
      <>
        <p class="trail">
          <a href="/payables">← Payables</a>
        </p>
        <h1>
          {row.kind === 'credit_note' ? 'Credit note' : 'Supplier invoice'} {row.number}
        </h1>
        <Standing view={view} row={row} />
        <Section id="money" title="Paid and set off">
          <SetAgainst {...of} setAgainst={setAgainst} />
          {row.open_minor > 0 && <Pay {...of} />}
          {row.open_minor > 0 && credits.length > 0 && <SetOff {...of} credits={credits} />}
          {row.peer_id === null && row.voided_at === null && row.paid_minor === 0 && <Void {...of} />}
        </Section>
        {row.peer_id !== null && (
          <Section id="disputes" title="Disputes">
            <Disputes view={view} rows={disputes} address={addressOf(row)} refused={refused} />
            {!row.has_open_dispute && <RaiseDispute view={view} address={addressOf(row)} refused={refused} />}
          </Section>
        )}
        <Section id="lines" title="What it bills">
          <Lines row={row} mapped={mapped} />
          {row.peer_id !== null && (
            <p>
              <a href={`${addressOf(row)}/usage`}>Usage behind the lines</a>, as the supplier says it
            </p>
          )}
        </Section>
      </>
    ),
  }
}

function Standing({ view, row }: { view: ConsoleView; row: SupplierInvoiceRow }) {
  const dues = payableDues(toPayable(row))
  return (
    <Section id="standing" title="Where it stands" isLive>
      <dl class="facts wide">
        <Fact name="State">
          <PayableState row={row} />
          {row.disagreement !== null && <div class="hint">{row.disagreement}</div>}
          {row.voided_at !== null && (
            <div class="hint">
              {row.void_reason}, by {row.voided_by} on{' '}
              <Moment at={row.voided_at} now={view.now} timeZone={view.timeZone} />
            </div>
          )}
          <SupplierSays row={row} timeZone={view.timeZone} />
        </Fact>
        <Fact name="Supplier">{row.supplier_name}</Fact>
        {row.files.length > 0 && (
          <Fact name="Files">
            <SupplierFiles row={row} />
          </Fact>
        )}
        <Fact name="Issued">
          <Day date={row.issued_on} />
        </Fact>
        <Fact name="Total">{formatAmount(row.total_minor, row.currency)}</Fact>
        <Fact name="Tax">{formatAmount(row.tax_minor, row.currency)}</Fact>
        <Fact name={row.owed_minor < 0 ? 'Left to set off' : 'Left to pay'}>
          {formatAmount(Math.abs(row.open_minor), row.currency)}
        </Fact>
        {dues.map((due) => (
          <Fact name="Due">
            <Day date={due.dueOn} />: {formatAmount(due.amountMinor, row.currency)}
            {due.openMinor !== due.amountMinor && (
              <div class="hint">{formatAmount(due.openMinor, row.currency)} left</div>
            )}
          </Fact>
        ))}
      </dl>
    </Section>
  )
}

interface FormProps {
  readonly view: ConsoleView
  readonly row: SupplierInvoiceRow
  readonly refused: RefusedInput | undefined
}

function addressOf(row: SupplierInvoiceRow): string {
  return `${supplierInvoicePath}/${encodeId('supplierInvoice', row.id)}`
}

function SetAgainst({
  view,
  row,
  refused,
  setAgainst,
}: FormProps & { setAgainst: readonly SupplierAllocationRow[] }) {
  if (setAgainst.length === 0) return <Empty>Nothing was set against it.</Empty>
  return (
    <Table caption="What was set against it" head={['What', 'On', { number: 'Amount' }, 'Take back']}>
      {setAgainst.map((one) => (
        <tr class={isStanding(one) ? undefined : 'past'}>
          <th scope="row">{nameOf(one, row)}</th>
          <td>
            <Day date={one.paid_on ?? one.allocated_at.slice(0, 10)} />
          </td>
          <td class="number">{formatAmount(one.amount_minor, one.currency)}</td>
          <td>
            {one.reversed_at !== null && 'taken back'}
            {one.reversed_at === null && one.voided_at !== null && 'void'}
            {one.payment_id !== null && isStanding(one) && (
              <Reverse view={view} row={row} refused={refused} paymentId={one.payment_id} />
            )}
          </td>
        </tr>
      ))}
    </Table>
  )
}

const isStanding = (one: SupplierAllocationRow) => one.reversed_at === null && one.voided_at === null

function nameOf(one: SupplierAllocationRow, row: SupplierInvoiceRow): string {
  if (one.payment_id !== null) return `Payment ${one.reference ?? ''}`
  return one.credit_note_id === row.id
    ? `Set off against ${one.invoice_number}`
    : `Credit note ${one.credit_note_number ?? ''}`
}

/** The payment as a whole, also what it paid of others. */
function Reverse({ view, row, refused, paymentId }: FormProps & { paymentId: string }) {
  const payment = encodeId('supplierPayment', paymentId)
  const at = { form: `reverse-${payment}`, refused }
  return (
    <Folded {...at} title="Take back…">
      <PostForm {...at} view={view} action={`${addressOf(row)}/reverse`}>
        <input type="hidden" name="payment" value={payment} />
        <TextField {...at} name="reason" label="Why the payment is taken back" isRequired />
        <div class="buttons">
          <button type="submit">Take back</button>
        </div>
      </PostForm>
    </Folded>
  )
}

function Pay({ view, row, refused }: FormProps) {
  const at = { form: payForm, refused }
  return (
    <Folded {...at} title="Record a payment…">
      <PostForm {...at} view={view} action={`${addressOf(row)}/pay`}>
        <TextField
          {...at}
          name="amount"
          label={`Amount in ${row.currency}`}
          type="decimal"
          value={decimalAmount(row.open_minor, row.currency)}
          isRequired
        />
        <TextField {...at} name="paid_on" label="Paid on" type="date" hint="Empty: today." />
        <TextField {...at} name="reference" label="Reference" hint="As the bank statement has it." />
        <div class="buttons">
          <button type="submit" class="primary">
            Record
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

function SetOff({ view, row, refused, credits }: FormProps & { credits: readonly SupplierInvoiceRow[] }) {
  const at = { form: setOffForm, refused }
  const choices = credits.map(
    (one) =>
      [
        encodeId('supplierInvoice', one.id),
        `${one.number}, ${formatAmount(-one.open_minor, one.currency)} left`,
      ] as const,
  )
  return (
    <Folded {...at} title="Set a credit note off…">
      <PostForm {...at} view={view} action={`${addressOf(row)}/set-off`}>
        <Choice {...at} name="credit_note" label="Credit note" choices={choices} />
        <TextField
          {...at}
          name="amount"
          label={`Amount in ${row.currency}`}
          type="decimal"
          hint="Empty: as far as both reach."
        />
        <div class="buttons">
          <button type="submit" class="primary">
            Set off
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

/** Of what was recorded here and not paid; what a peer sent is its word. */
function Void({ view, row, refused }: FormProps) {
  const at = { form: voidForm, refused }
  return (
    <Folded {...at} title="Void what was misread…">
      <PostForm {...at} view={view} action={`${addressOf(row)}/void`}>
        <p class="hint">
          It stays as it was written, counts for nothing any more, and {row.number} can be recorded anew.
        </p>
        <TextField {...at} name="reason" label="Why" isRequired />
        <div class="buttons">
          <button type="submit">Void</button>
        </div>
      </PostForm>
    </Folded>
  )
}

type MappedLine = Awaited<ReturnType<typeof readMappedLines>>[number]

function Lines({ row, mapped }: { row: SupplierInvoiceRow; mapped: readonly MappedLine[] }) {
  return (
    <Table
      caption="Lines, as the supplier wrote them"
      head={['What', 'Days', { number: 'Quantity' }, { number: 'Net' }, { number: 'Tax' }, 'Counted as']}
    >
      {row.content.lines.map((line, index) => (
        <tr>
          <th scope="row">{line.description}</th>
          <td>
            <ServicePeriod line={line} />
          </td>
          <td class="number">
            {formatQuantity(line.quantity)} {line.unit}
            {line.unit_price !== null && (
              <div class="hint">at {formatUnitPrice(line.unit_price, row.currency)}</div>
            )}
          </td>
          <td class="number">{formatAmount(line.amount_minor, row.currency)}</td>
          <td class="number">{formatAmount(line.tax_minor, row.currency)}</td>
          <td>
            {mapped[index]?.expense_category?.name ?? <a href="/expenses#unmapped">not mapped</a>}
            {mapped[index]?.tax_code != null && <div class="hint">tax code {mapped[index].tax_code}</div>}
          </td>
        </tr>
      ))}
    </Table>
  )
}

function ServicePeriod({ line }: { line: SupplierDocumentLine }) {
  if (line.service_period === null) return null
  return <>{formatPeriod(line.service_period.starts_on, line.service_period.ends_on)}</>
}
