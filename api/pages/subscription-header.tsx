import { isErrorCode, problemKinds } from '../errors.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount } from './format.ts'
import { Day, ExactMoment, State } from './parts.tsx'
import { priceInWords } from './price.ts'
import type { SubscriptionContent } from './subscription-content.ts'

/** What it is, how it stands, what it costs, and the one thing to press when it runs. */
export function SubscriptionHeader({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  const { row, testClock, publicId } = content
  return (
    <>
      <p class="trail">
        <a href="/subscriptions">← All subscriptions</a>
      </p>
      <header class="subject" id="subject" data-live>
        <div>
          <h1>{row.title}</h1>
          <p>
            <State state={row.phase} /> for <strong>{row.customer_name}</strong>{' '}
            <span class="hint">
              <code>{publicId}</code>
            </span>
          </p>
        </div>
        <OpenApplication content={content} />
        {testClock !== null && (
          <p class="banner note" role="note">
            <strong>On test clock {testClock.name}.</strong> For this subscription it is{' '}
            <ExactMoment at={testClock.now_at} timeZone={view.timeZone} />
            {testClock.target_at === null ? '.' : ', moving on.'} Move it with{' '}
            <code>npx clouder clock advance 1mo</code>
          </p>
        )}
        {row.parked_reason !== null && <ParkedBanner reason={row.parked_reason} />}
        <Facts content={content} />
        <p class="links">
          <a href={`${view.temporalUrl}/${encodeURIComponent(`subscription/${publicId}`)}`} rel="noreferrer">
            Open its workflow in Temporal
          </a>
        </p>
      </header>
    </>
  )
}

function OpenApplication({ content }: { content: SubscriptionContent }) {
  if (content.row.phase !== 'active') return null
  const running = content.instances.find(
    (instance) =>
      instance.host_port !== null && (instance.state === 'running' || instance.state === 'limited'),
  )
  if (!running) return null
  const address = `http://localhost:${running.host_port}/`
  return (
    <p class="open">
      <a class="button primary" href={address} rel="noreferrer">
        Open {running.application_title}
      </a>
      <span class="hint">{address}</span>
    </p>
  )
}

function ParkedBanner({ reason }: { reason: string }) {
  return (
    <p class="banner alarm" role="alert">
      <strong>Waits for you: {isErrorCode(reason) ? problemKinds[reason].title : reason}.</strong>{' '}
      {isErrorCode(reason) ? problemKinds[reason].remedy : 'See the build and the timeline below.'}
    </p>
  )
}

function Facts({ content }: { content: SubscriptionContent }) {
  const { row, expected } = content
  const sold = content.lines.filter((line) => line.ends_on === null || line.starts_on === null)
  return (
    <dl class="facts wide">
      <dt>Price</dt>
      <dd>
        <ul class="plainlist">
          {sold.map((line) => (
            <li>
              {line.description}: {priceInWords(line, row.currency)}
            </li>
          ))}
          {sold.length === 0 && <li>nothing is sold any more</li>}
        </ul>
      </dd>
      <dt>Next invoice</dt>
      <dd>
        {row.next_invoice_on === null ? 'none' : <Day date={row.next_invoice_on} />}
        {expected && (
          <div class="hint">{formatAmount(expected.totalMinor, row.currency)} with what was used so far</div>
        )}
      </dd>
      <dt>Active since</dt>
      <dd>{row.starts_on === null ? 'not yet' : <Day date={row.starts_on} />}</dd>
      {row.ends_on !== null && (
        <>
          <dt>{row.phase === 'ended' ? 'Ended' : 'Ends'}</dt>
          <dd>
            <Day date={row.ends_on} />
            {row.cancel_reason !== null && <div class="hint">{row.cancel_reason}</div>}
          </dd>
        </>
      )}
      {row.suspended_reason !== null && (
        <>
          <dt>Suspended</dt>
          <dd>{row.suspended_reason}</dd>
        </>
      )}
    </dl>
  )
}
