import { cancelReasonNames } from '#domain/cancellation.ts'
import { encodeId } from '#domain/identifier.ts'
import { isErrorCode, problemKinds } from '../errors.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount } from './format.ts'
import { Day, ExactMoment, Fact, State } from './parts.tsx'
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
            <State state={row.phase} /> for{' '}
            <a href={`/customers/${encodeId('customer', row.customer_id)}`}>
              <strong>{row.customer_name}</strong>
            </a>{' '}
            <span class="hint">
              <code>{publicId}</code>
              {row.external_id !== null && (
                <>
                  {' '}
                  · known elsewhere as <code>{row.external_id}</code>
                </>
              )}
            </span>
          </p>
        </div>
        <OpenApplication view={view} content={content} />
        {testClock !== null && (
          <p class="banner note" role="note">
            <strong>On test clock {testClock.name}.</strong> For this subscription it is{' '}
            <ExactMoment at={testClock.now_at} timeZone={view.timeZone} />
            {testClock.target_at === null ? '.' : ', moving on.'} Move it with{' '}
            <code>npx clouder clock advance 1mo --clock {testClock.number}</code>
          </p>
        )}
        {row.parked_reason !== null && <ParkedBanner reason={row.parked_reason} />}
        <Facts content={content} />
        <p class="links">
          <a href={`/orders/${encodeId('order', row.order_id)}`}>Its order</a>{' '}
          <a href={`${view.temporalUrl}/${encodeURIComponent(`subscription/${publicId}`)}`} rel="noreferrer">
            Open its workflow in Temporal
          </a>
        </p>
      </header>
    </>
  )
}

/** One thing to press. Where nothing really runs, there is nothing to open. */
function OpenApplication({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  if (content.row.phase !== 'active') return null
  const running = content.instances.find(
    (instance) =>
      instance.host_port !== null &&
      !view.dryRunServers.includes(instance.server_code) &&
      (instance.state === 'running' || instance.state === 'limited'),
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
  const { row, expected, features } = content
  const sold = content.lines.filter((line) => line.ends_on === null || line.starts_on === null)
  return (
    <dl class="facts wide">
      <Fact name="Price">
        <ul class="plainlist">
          {sold.map((line) => (
            <li>
              {line.description}: {priceInWords(line, row.currency)}
            </li>
          ))}
          {sold.length === 0 && <li>nothing is sold any more</li>}
        </ul>
      </Fact>
      <Fact name="Next invoice">
        {row.is_billed_elsewhere ? (
          'billed elsewhere: nothing of it is charged here'
        ) : row.next_invoice_on === null ? (
          'none'
        ) : (
          <Day date={row.next_invoice_on} />
        )}
        {expected !== null && (
          <div class="hint">
            {'refusal' in expected
              ? `It cannot be computed: ${expected.refusal}`
              : `${formatAmount(expected.totalMinor, row.currency)} with what was used so far`}{' '}
            <a href={`/subscriptions/${content.publicId}/simulation`}>Invoices to come</a>
          </div>
        )}
      </Fact>
      <Fact name={row.activated_at === null ? 'Asked to begin' : 'Active since'}>
        {row.starts_on === null ? 'once it is built' : <Day date={row.starts_on} />}
      </Fact>
      {row.tags.length > 0 && <Fact name="Tags">{row.tags.join(', ')}</Fact>}
      {row.notes !== null && <Fact name="Notes">{row.notes}</Fact>}
      {row.trial_ends_on !== null && (
        <Fact name="Free until">
          <Day date={row.trial_ends_on} />
        </Fact>
      )}
      {row.ends_on !== null && (
        <Fact name={row.phase === 'ended' ? 'Ended' : 'Ends'}>
          <Day date={row.ends_on} />
          {row.cancel_reason_code !== null && (
            <div class="hint">{cancelReasonNames[row.cancel_reason_code]}.</div>
          )}
          {row.cancel_reason !== null && <div class="hint">{row.cancel_reason}</div>}
        </Fact>
      )}
      {Object.keys(features).length > 0 && (
        <Fact name="Features">{Object.entries(features).map(sayFeature).join(', ')}</Fact>
      )}
      {row.suspended_reason !== null && <Fact name="Suspended">{row.suspended_reason}</Fact>}
    </dl>
  )
}

/** `sso: on`, `storage-class: gold`. */
function sayFeature([code, value]: [string, boolean | string]): string {
  return `${code}: ${value === true ? 'on' : value === false ? 'off' : value}`
}
