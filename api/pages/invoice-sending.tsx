import type { DocumentSending } from '#db/read/document-sending.ts'
import type { ConsoleView } from './console-page.tsx'
import { ExactMoment, Moment, Section } from './parts.tsx'
import { peersPath } from './peer-frame.tsx'

/** Whether the installation of its customer has a document, and what it waits for where it has not. */
export function InvoiceSending({ view, sending }: { view: ConsoleView; sending: DocumentSending }) {
  const { name, delivered_at: deliveredAt } = sending
  return (
    <div class="screen-only" lang="en" dir="ltr">
      <Section id="sending" title="To the customer’s installation">
        <p>
          {deliveredAt === null ? (
            <Waiting view={view} sending={sending} />
          ) : (
            <>
              {name} has it as a supplier invoice since{' '}
              <ExactMoment at={deliveredAt} timeZone={view.timeZone} />.
            </>
          )}{' '}
          <a href={peersPath}>Peers</a>
        </p>
      </Section>
    </div>
  )
}

function Waiting({ view, sending }: { view: ConsoleView; sending: DocumentSending }) {
  const { name, state, halted_reason: halted, waiting_reason: reason } = sending
  if (state === 'closed')
    return <>{name} has not taken it, and is closed: it goes over once it is paired with anew.</>
  const cause = halted ?? reason
  return (
    <>
      It waits for {name} since <Moment at={sending.queued_at} {...view} />
      {cause !== null && `: ${cause.replace(/\.$/, '')}`}.{' '}
      {state === 'halted' ? 'It goes over once the peer is resumed.' : 'It goes over by itself.'}
    </>
  )
}
