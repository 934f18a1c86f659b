import type { EventRow } from '#db/read/event.ts'
import type { DueDocumentRow } from '#db/read/home.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { eventActor, eventSentence } from './event-text.ts'
import { Day, Empty, Moment, Section, Table } from './parts.tsx'

export function NewsSection(props: {
  view: ConsoleView
  events: readonly EventRow[]
  names: ReadonlyMap<string, string>
}) {
  const { view, events, names } = props
  return (
    <Section id="news" title="Newest events" isLive>
      {events.length === 0 ? (
        <Empty>
          Nothing has happened yet. The first order writes here; see <a href="/docs">the API</a> for{' '}
          <code>POST /v1/orders</code>.
        </Empty>
      ) : (
        <div role="log" aria-label="Newest events">
          <ol class="timeline">
            {events.map((event) => (
              <li>
                <EventText event={event} />
                <div class="hint">
                  {event.subscription_id !== null &&
                    `${names.get(event.subscription_id) ?? 'a subscription'}, `}
                  by {eventActor(event, view.operator)}, <Moment at={event.occurred_at} {...view} />
                </div>
              </li>
            ))}
          </ol>
        </div>
      )}
    </Section>
  )
}

function EventText({ event }: { event: EventRow }) {
  const sentence = eventSentence(event)
  if (event.invoice_id !== null)
    return <a href={`/invoices/${encodeId('invoice', event.invoice_id)}`}>{sentence}</a>
  if (event.subscription_id === null) return <>{sentence}</>
  return <a href={`/subscriptions/${encodeId('subscription', event.subscription_id)}`}>{sentence}</a>
}

export function DueSection({ documents }: { documents: readonly DueDocumentRow[] }) {
  return (
    <Section id="due" title="Next invoices" isLive>
      {documents.length === 0 ? (
        <Empty>No invoice is due. A subscription’s first one comes on the day it is active.</Empty>
      ) : (
        <Table caption="Documents by the date of their next invoice" head={['Due', 'Customer', 'Currency']}>
          {documents.map((document) => (
            <tr>
              <th scope="row">
                <Day date={document.due_on} />
              </th>
              <td>
                {document.customer_name}
                {document.test_clock_name !== null && (
                  <div class="hint">on test clock {document.test_clock_name}</div>
                )}
                {document.parked_reason !== null && (
                  <div class="failure">waits: {document.parked_reason}</div>
                )}
              </td>
              <td>{document.currency}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}
