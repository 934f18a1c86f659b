import { randomUUID } from 'node:crypto'
import type { DryBeside, DryDocument } from '#db/billing-dry-run.ts'
import type { BillingRunExceptionRow, BillingRunRow } from '#db/read/billing-run.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount, plural } from './format.ts'
import { Empty, ExactMoment, Section, Table } from './parts.tsx'

/** What a page of dry runs shows at most. */
export const shownDocuments = 500

export function StartForm({ view, isFailedOnly }: { view: ConsoleView; isFailedOnly: boolean }) {
  return (
    <form method="post" action="/billing-runs" class="inline">
      <input type="hidden" name="form_token" value={view.operator.formToken} />
      <input type="hidden" name="idempotency_key" value={randomUUID()} />
      <input type="hidden" name="failed_only" value={String(isFailedOnly)} />
      <button type="submit" class={isFailedOnly ? 'quiet' : undefined}>
        {isFailedOnly ? 'Bill what could not be billed before' : 'Bill everything that is due'}
      </button>
    </form>
  )
}

export function totalsOf({ totals }: BillingRunRow): string {
  const texts = Object.entries(totals).map(([currency, minor]) => formatAmount(minor, currency))
  return texts.join(', ') || '–'
}

/** One run: how much, and who was left out and why. */
export function Run(props: {
  view: ConsoleView
  row: BillingRunRow
  exceptions: readonly BillingRunExceptionRow[]
}) {
  const { view, row, exceptions } = props
  return (
    <>
      <p class="trail">
        <a href="/billing-runs">← Billing runs</a>
      </p>
      <h1>Billing run</h1>
      <p>
        Up to <ExactMoment at={row.billed_at} timeZone={view.timeZone} />:{' '}
        {row.finished_at === null ? 'still running; ' : `${plural(row.considered, 'document')} considered, `}
        {row.billed} billed, {row.waiting} waiting, {row.parked} parked. Total {totalsOf(row)}.
      </p>
      <Section id="exceptions" title="Not billed">
        {exceptions.length === 0 ? (
          <Empty>Everything that was due was billed.</Empty>
        ) : (
          <>
            <Table caption="Not billed" head={['Customer', 'Document', 'Outcome', 'Why']}>
              {exceptions.map((exception) => (
                <tr>
                  <th scope="row">{exception.customer_name}</th>
                  <td>{encodeId('document', exception.document_id)}</td>
                  <td>{exception.outcome}</td>
                  <td>{exception.reason}</td>
                </tr>
              ))}
            </Table>
            <p class="hint">
              What waits is billed by a later run by itself. What is parked is billed again once its cause is
              gone:
            </p>
            <StartForm view={view} isFailedOnly />
          </>
        )}
      </Section>
    </>
  )
}

/** What a run would make now. */
const besideWords = { late_usage: 'its own, for late usage', one_off: 'its own, for one-offs' } as const

export function DryRun(props: {
  view: ConsoleView
  documents: readonly DryDocument[]
  beside: readonly DryBeside[]
  names: ReadonlyMap<string, string>
  isFailedOnly: boolean
}) {
  const { view, documents, beside, names, isFailedOnly } = props
  const rows = [
    ...documents.map((document) => ({
      ...document,
      customer: names.get(document.documentId) ?? '',
      of: encodeId('document', document.documentId),
    })),
    ...beside.map((found) => ({ ...found, customer: found.customer.name, of: besideWords[found.kind] })),
  ]
  return (
    <>
      <p class="trail">
        <a href="/billing-runs">← Billing runs</a>
      </p>
      <h1>Dry run</h1>
      <p>What a run would make now. It was done and taken back: nothing is kept, no number is used up.</p>
      {rows.length === 0 ? (
        <Empty>Nothing is due.</Empty>
      ) : (
        <Table caption="Dry run" head={['Customer', 'Document', 'Outcome', 'Invoices', 'Why']}>
          {rows.map(({ customer, of, outcome, invoices, reason }) => (
            <tr>
              <th scope="row">{customer}</th>
              <td>{of}</td>
              <td>{outcome}</td>
              <td>
                {invoices.map(({ totalMinor, currency }) => formatAmount(totalMinor, currency)).join(', ')}
              </td>
              <td>{reason ?? ''}</td>
            </tr>
          ))}
        </Table>
      )}
      {documents.length === shownDocuments && (
        <p class="hint">The first {shownDocuments}; the API gives all.</p>
      )}
      <StartForm view={view} isFailedOnly={isFailedOnly} />
    </>
  )
}
