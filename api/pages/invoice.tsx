import { BusinessError } from '#domain/errors.ts'
import { listDisputesOf } from '#db/read/dispute.ts'
import { findDocumentSending } from '#db/read/document-sending.ts'
import {
  findInvoice,
  listAllocations,
  listCreditNotes,
  listInvoiceMarks,
  type InvoiceLineRow,
} from '#db/read/invoice.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { fromInvoiceRows, readInvoiceRows, type InvoiceRows } from '#documents/invoice-rows.ts'
import { languages, profileOf, toLanguage, type Language } from '#documents/language.ts'
import {
  toPrintedInvoice,
  type PrintedColumn,
  type PrintedFact,
  type PrintedInvoice,
  type PrintedLine,
} from '#documents/printed-invoice.ts'
import type { Frame } from '../frame.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Disputes } from './disputes.tsx'
import type { RefusedInput } from './form.tsx'
import { Explanation } from './invoice-explanation.tsx'
import { InvoiceMoney, type RefusedInvoiceForm } from './invoice-money.tsx'
import { InvoiceSending } from './invoice-sending.tsx'
import { Section, Table } from './parts.tsx'

export function registerInvoice(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/invoices/:id', permission: 'invoices:read' },
    async (view, ctx) =>
      await invoiceBody(frame, view, {
        publicId: ctx.req.param('id') ?? '',
        language: ctx.req.query('language'),
        refused: undefined,
      }),
  )
}

/** The page, with what was refused where a form came back. */
export async function invoiceBody(
  { deps: { db } }: Frame,
  view: ConsoleView,
  of: {
    publicId: string
    language: string | undefined
    refused: RefusedInvoiceForm | undefined
    refusedAnswer?: RefusedInput
  },
): Promise<ConsoleBody> {
  const { publicId, refused } = of
  const id = decodeId('invoice', publicId)
  if ((await findInvoice(db, id)) === undefined) {
    throw new BusinessError('not_found', `There is no invoice ${publicId}.`)
  }
  const rows = await readInvoiceRows(db, id)
  const [allocations, creditNotes, marks, disputes, sending] = await Promise.all([
    listAllocations(db, id),
    listCreditNotes(db, id),
    listInvoiceMarks(db, id),
    listDisputesOf(db, { invoiceId: id }),
    findDocumentSending(db, id),
  ])
  const money = { invoice: rows.invoice, allocations, creditNotes, marks }
  const printed = toPrintedInvoice(fromInvoiceRows(rows), toLanguage(of.language))
  return {
    title: `${printed.kind} ${printed.number}`,
    current: 'invoices',
    children: (
      <>
        <Invoice view={view} rows={rows} printed={printed} publicId={publicId} />
        <InvoiceMoney view={view} money={money} refused={refused} />
        {sending !== undefined && <InvoiceSending view={view} sending={sending} />}
        {disputes.length > 0 && (
          <div class="screen-only" lang="en" dir="ltr">
            <Section id="disputes" title="Disputes of the customer">
              <Disputes
                view={view}
                rows={disputes}
                address={`/invoices/${publicId}`}
                refused={of.refusedAnswer}
              />
            </Section>
          </div>
        )}
      </>
    ),
  }
}

interface InvoiceProps {
  readonly view: ConsoleView
  readonly rows: InvoiceRows
  readonly printed: PrintedInvoice
}

/** The document as the PDF has it, in the same order and words; beside them only what opens up how a line came about. */
function Invoice(props: InvoiceProps & { publicId: string }) {
  const { printed, rows } = props
  return (
    <article class="invoice" aria-labelledby="invoice-title" lang={printed.language} dir={printed.direction}>
      <Ways rows={rows} language={printed.language} publicId={props.publicId} />
      {printed.warning !== null && (
        <div class="banner note" role="note">
          <strong>{printed.warning}</strong>
        </div>
      )}
      <header>
        <h1 id="invoice-title">
          {printed.kind} <span class="number-of">{printed.number}</span>
        </h1>
        <p class="total">{printed.total}</p>
      </header>
      <Parties printed={printed} />
      <Lines {...props} />
      {printed.tax !== null && <TaxByRate {...printed.tax} />}
      {printed.notes.map((note) => (
        <p>{note}</p>
      ))}
      <section aria-labelledby="payment-title">
        <h2 id="payment-title">{printed.payment.title}</h2>
        {printed.payment.texts.map((text) => (
          <p>{text}</p>
        ))}
        <Facts facts={printed.payment.account} />
      </section>
    </article>
  )
}

/** Back, the PDF, and the other languages; not a part of the document. */
function Ways(props: { rows: InvoiceRows; language: Language; publicId: string }) {
  const { invoice } = props.rows
  const own = toLanguage(invoice.buyer.language)
  return (
    <nav class="screen-only ways" aria-label="Invoice" lang="en" dir="ltr">
      <a href="/invoices">← All invoices</a>
      {invoice.number !== null && <a href={`/v1/invoices/${props.publicId}/pdf`}>PDF</a>}
      {languages.map((language) => (
        <a
          href={`?language=${language}`}
          lang={language}
          hreflang={language}
          aria-current={language === props.language ? 'true' : undefined}
        >
          {profileOf(language).messages.language}
          {language === own && ' ★'}
        </a>
      ))}
    </nav>
  )
}

function Parties({ printed }: { printed: PrintedInvoice }) {
  return (
    <div class="parties">
      {printed.parties.map((party, index) => (
        <section aria-labelledby={`party-${index}-title`}>
          <h2 id={`party-${index}-title`}>{party.title}</h2>
          <address>
            <strong>{party.name}</strong>
            {party.texts.map((text) => (
              <span>{text}</span>
            ))}
          </address>
        </section>
      ))}
      <Facts facts={printed.facts} />
    </div>
  )
}

function Facts({ facts }: { facts: readonly PrintedFact[] }) {
  if (facts.length === 0) return null
  return (
    <dl class="facts">
      {facts.map(({ label, value }) => (
        <>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  )
}

function headOf(columns: readonly PrintedColumn[]) {
  return columns.map(({ title, isNumber }) => (isNumber ? { number: title } : title))
}

function Lines({ view, rows, printed }: InvoiceProps) {
  return (
    <Table
      caption={`${printed.kind} ${printed.number}`}
      head={headOf(printed.columns)}
      foot={
        <tfoot>
          {printed.totals.map(({ label, value, isGrand }) => (
            <tr class={isGrand ? 'grand' : undefined}>
              <th scope="row" colspan={printed.columns.length - 1}>
                {label}
              </th>
              <td class="number">{value}</td>
            </tr>
          ))}
        </tfoot>
      }
    >
      {rows.lines.map((line, index) => (
        <Line
          view={view}
          currency={rows.invoice.currency}
          columns={printed.columns}
          line={line}
          printed={printed.lines[index]}
        />
      ))}
    </Table>
  )
}

function Line(props: {
  view: ConsoleView
  currency: string
  columns: readonly PrintedColumn[]
  line: InvoiceLineRow
  printed: PrintedLine | undefined
}) {
  const { line, printed, columns } = props
  if (printed === undefined) return null
  return (
    <>
      {printed.section !== null && (
        <tr class="section">
          <th scope="colgroup" colspan={columns.length}>
            {printed.section}
          </th>
        </tr>
      )}
      <tr>
        <th scope="row" colspan={columns.length - printed.cells.length}>
          {printed.description}
          {printed.details.map((detail) => (
            <div class="hint">
              <Detail text={detail} line={line} />
            </div>
          ))}
          {!line.is_text && <Why {...props} />}
        </th>
        {printed.cells.map((cell, index) => (
          <td class={columns[index + 1]?.isNumber === true ? 'number' : undefined}>{cell}</td>
        ))}
      </tr>
    </>
  )
}

function Why({ view, line, currency }: { view: ConsoleView; line: InvoiceLineRow; currency: string }) {
  return (
    <div lang="en" dir="ltr">
      <Explanation
        view={view}
        line={{
          id: `why-${line.position}`,
          description: line.description,
          unit: line.unit,
          explanation: line.explanation,
          ratedMinor: line.rated_minor,
          subscriptionId: line.subscription_id,
          usageWindowId: line.usage_window_id,
        }}
        currency={currency}
      />
    </div>
  )
}

/** The subscription leads to its page; on paper it is a text like the others. */
function Detail({ text, line }: { text: string; line: InvoiceLineRow }) {
  const isSubscription = line.subscription_title !== null && text.includes(line.subscription_title)
  if (!isSubscription || line.subscription_id === null) return <>{text}</>
  return <a href={`/subscriptions/${encodeId('subscription', line.subscription_id)}`}>{text}</a>
}

function TaxByRate({ title, columns, rows }: NonNullable<PrintedInvoice['tax']>) {
  return (
    <section aria-labelledby="tax-title">
      <h2 id="tax-title">{title}</h2>
      <Table caption={title} head={headOf(columns)}>
        {rows.map((cells) => (
          <tr>
            {cells.map((cell, index) => (
              <td class={columns[index]?.isNumber === true ? 'number' : undefined}>{cell}</td>
            ))}
          </tr>
        ))}
      </Table>
    </section>
  )
}
