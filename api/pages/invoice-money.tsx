import { randomUUID } from 'node:crypto'
import type { Child } from 'hono/jsx'
import type { AllocationRow, CreditNoteRow, InvoiceMarkRow, InvoiceRow } from '#db/read/invoice.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneyStateOf, openMinorOf } from '../schemas/invoice.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount } from './format.ts'
import { Day, Section, Table } from './parts.tsx'

/** Where an invoice stands with its money, and what was set against it. */
export interface MoneyRows {
  readonly invoice: InvoiceRow
  readonly allocations: readonly AllocationRow[]
  readonly creditNotes: readonly CreditNoteRow[]
  readonly marks: readonly InvoiceMarkRow[]
}

/** A form that came back: what was refused, and what was typed. */
export interface RefusedInvoiceForm {
  readonly action: string
  readonly code: ErrorCode
  readonly detail: string
  readonly values: Readonly<Record<string, string>>
}

interface MoneyProps {
  readonly view: ConsoleView
  readonly money: MoneyRows
  readonly refused: RefusedInvoiceForm | undefined
}

/** Beside the document, never on paper: it changes while the document does not. */
export function InvoiceMoney(props: MoneyProps) {
  const { invoice, marks } = props.money
  return (
    <div class="screen-only" lang="en" dir="ltr">
      <Section id="money" title={titleOf(invoice)}>
        {props.refused && (
          <div class="banner alarm" role="alert">
            <strong>Nothing was changed.</strong> {props.refused.detail}
          </div>
        )}
        {invoice.finalized_at === null && invoice.finalize_on !== null && (
          <p>
            A draft: it is computed once more and finalized on <Day date={invoice.finalize_on} />.
          </p>
        )}
        {marks
          .filter((mark) => mark.ended_at === null)
          .map((mark) => (
            <p>
              {mark.kind === 'void' ? 'Voided' : 'Written off'}: {mark.reason}
            </p>
          ))}
        <SetAgainst {...props} />
        <Actions {...props} />
      </Section>
    </div>
  )
}

function titleOf(invoice: InvoiceRow): string {
  const state = moneyStateOf(invoice)
  if (state === null) return invoice.finalized_at === null ? 'Draft' : 'Credit note'
  const open = openMinorOf(invoice)
  const words = state.replace('_', ' ')
  const title = `${words.charAt(0).toUpperCase()}${words.slice(1)}`
  return open === 0 ? title : `${title}, ${formatAmount(open, invoice.currency)} left to pay`
}

const kinds = { balance: 'Customer balance', credit_note: 'Credit note', payment: 'Payment' } as const

function SetAgainst({ money }: MoneyProps) {
  const { invoice, allocations, creditNotes } = money
  const { currency } = invoice
  return (
    <>
      {allocations.length > 0 && (
        <Table caption="Set against it" head={['What', 'On', { number: 'Amount' }]}>
          {allocations.map((row) => (
            <tr>
              <th scope="row">
                {kinds[row.kind]} {row.credit_note_number ?? row.reference ?? ''}
              </th>
              <td>
                <Day date={row.allocated_at.slice(0, 10)} />
              </td>
              <td class="number">{formatAmount(row.amount_minor, currency)}</td>
            </tr>
          ))}
        </Table>
      )}
      {creditNotes.length > 0 && (
        <p>
          Credited by{' '}
          {creditNotes.map((note, index) => (
            <>
              {index > 0 && ', '}
              <a href={`/invoices/${encodeId('invoice', note.id)}`}>{note.number}</a> (
              {formatAmount(note.total_minor, currency)})
            </>
          ))}
        </p>
      )}
      {invoice.reissue_of_id !== null && (
        <p>
          Revision {invoice.revision}, in the place of{' '}
          <a href={`/invoices/${encodeId('invoice', invoice.reissue_of_id)}`}>{invoice.reissue_of_number}</a>
        </p>
      )}
      {invoice.corrects_id !== null && (
        <p>
          Corrects{' '}
          <a href={`/invoices/${encodeId('invoice', invoice.corrects_id)}`}>{invoice.corrected_number}</a>
        </p>
      )}
    </>
  )
}

/** What can be done now; what cannot is not offered. */
function Actions(props: MoneyProps) {
  const { invoice } = props.money
  if (invoice.finalized_at === null) {
    return (
      <Form {...props} action="finalize">
        <button type="submit" class="primary">
          Finalize now
        </button>
        <span class="hint">It gets its number, and never changes again.</span>
      </Form>
    )
  }
  const state = moneyStateOf(invoice)
  if (state === null) return null
  const isOpen = openMinorOf(invoice) > 0
  // What annulled another's credits stands with it.
  const isCorrection = invoice.corrects_id !== null
  return (
    <>
      {isOpen && <Payment {...props} />}
      {!isCorrection && state !== 'void' && state !== 'credited' && <Credit {...props} />}
      {!isCorrection && state !== 'void' && (
        <Reasoned {...props} action="void" title="Void…" button="Void">
          One credit note for all that is left; the invoice keeps its number.
        </Reasoned>
      )}
      {(state === 'void' || state === 'credited') && (
        <Form {...props} action="reissue">
          <button type="submit">Bill anew</button>
          <span class="hint">The same days and usage, by what holds today, under a new number.</span>
        </Form>
      )}
      {isOpen && state !== 'uncollectible' && (
        <Reasoned {...props} action="mark-uncollectible" title="Write off…" button="Write off">
          What is left to pay is not expected any more. Money that comes after all makes it paid.
        </Reasoned>
      )}
      {state === 'uncollectible' && (
        <Reasoned {...props} action="mark-collectible" title="Collect again…" button="Collect again">
          It is open or overdue again.
        </Reasoned>
      )}
    </>
  )
}

function Payment(props: MoneyProps) {
  const { currency } = props.money.invoice
  return (
    <Disclosed {...props} action="payments" title="Record a payment…">
      <Input {...props} action="payments" name="amount" label={`Amount in ${currency}`} isRequired />
      <Input {...props} action="payments" name="reference" label="Reference" />
      <button type="submit">Record</button>
    </Disclosed>
  )
}

function Credit(props: MoneyProps) {
  const { currency } = props.money.invoice
  return (
    <Disclosed {...props} action="credit-notes" title="Credit…">
      <Input
        {...props}
        action="credit-notes"
        name="amount"
        label={`Net amount in ${currency}; empty: all that is left`}
      />
      <Input {...props} action="credit-notes" name="reason" label="Reason, for the timeline" />
      <button type="submit">Credit</button>
    </Disclosed>
  )
}

function Reasoned(props: MoneyProps & { action: string; title: string; button: string; children?: Child }) {
  return (
    <Disclosed {...props} title={props.title}>
      <p class="hint">{props.children}</p>
      <Input {...props} name="reason" label="Reason, for the timeline" isRequired />
      <button type="submit">{props.button}</button>
    </Disclosed>
  )
}

function Disclosed(props: MoneyProps & { action: string; title: string; children?: Child }) {
  return (
    <details open={props.refused?.action === props.action}>
      <summary>{props.title}</summary>
      <Form {...props}>{props.children}</Form>
    </details>
  )
}

/** The key makes sending it twice sending it once, and is fresh whenever the page is. */
function Form(props: MoneyProps & { action: string; children?: Child }) {
  const address = `/invoices/${encodeId('invoice', props.money.invoice.id)}/${props.action}`
  return (
    <form method="post" action={address} class="action">
      <input type="hidden" name="form_token" value={props.view.operator.formToken} />
      <input type="hidden" name="idempotency_key" value={randomUUID()} />
      {props.children}
    </form>
  )
}

function Input(props: MoneyProps & { action: string; name: string; label: string; isRequired?: boolean }) {
  const { action, name, refused } = props
  const id = `${action}-${name}`
  return (
    <span class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        name={name}
        type="text"
        maxlength={500}
        inputmode={name === 'amount' ? 'decimal' : undefined}
        required={props.isRequired}
        value={refused?.action === action ? refused.values[name] : undefined}
      />
    </span>
  )
}
