import type { EventRow } from '#db/read/event.ts'
import type { ConsoleView } from './console-page.tsx'
import { eventActor, eventSentence } from './event-text.ts'
import { Moment, Section } from './parts.tsx'

/** What happened to an order and to all that it sold, newest first. */
export function OrderTimeline({ view, events }: { view: ConsoleView; events: readonly EventRow[] }) {
  return (
    <Section id="timeline" title="Timeline">
      <ol class="timeline">
        {events.map((event) => (
          <li class={event.kind === 'build.step' ? 'minor' : undefined}>
            {eventSentence(event)}
            <div class="hint">
              by {eventActor(event, view.operator)}, <Moment at={event.occurred_at} {...view} />
            </div>
          </li>
        ))}
      </ol>
    </Section>
  )
}
