import type { EventRow } from '#db/read/event.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { eventActor, eventSentence } from './event-text.ts'
import { ExactMoment, Moment, Section } from './parts.tsx'
import type { SubscriptionContent } from './subscription-content.ts'

/** Newest first. A log, so that what is added is read aloud in its turn. */
export function TimelineSection({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  return (
    <Section id="timeline" title="Timeline" isLive>
      <div class="log" role="log" aria-label="Timeline" tabindex={0}>
        <ol class="timeline">
          {content.events.map((event) => (
            <Event view={view} event={event} isOnClock={content.testClock !== null} />
          ))}
        </ol>
      </div>
    </Section>
  )
}

function Event({ view, event, isOnClock }: { view: ConsoleView; event: EventRow; isOnClock: boolean }) {
  const sentence = eventSentence(event)
  return (
    <li class={event.kind === 'build.step' ? 'minor' : undefined}>
      {event.invoice_id === null ? (
        sentence
      ) : (
        <a href={`/invoices/${encodeId('invoice', event.invoice_id)}`}>{sentence}</a>
      )}
      <div class="hint">
        by {eventActor(event, view.operator)}, <Moment at={event.occurred_at} {...view} />
        {isOnClock && event.business_at !== null && (
          <>
            {' '}
            (its clock: <ExactMoment at={event.business_at} timeZone={view.timeZone} />)
          </>
        )}
      </div>
    </li>
  )
}
