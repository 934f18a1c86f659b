import type { SubscriptionPhase } from '#domain/subscription.ts'
import { State } from '../pages/parts.tsx'
import type { Speech } from './language.ts'
import type { OwnSubscription } from './own.ts'
import type { PortalView } from './portal-page.tsx'
import { reachedLimits } from './usage.ts'

/** How a subscription stands, in one word. */
export function Standing(props: {
  row: { readonly phase: SubscriptionPhase; readonly limits_reached?: readonly string[] }
  speech: Speech
}) {
  const { words } = props.speech
  const { phase, limits_reached: reached = [] } = props.row
  if (phase === 'active' && reached.length > 0) return <State state="limited">{words.limited}</State>
  return <State state={phase}>{words.phases[phase].word}</State>
}

/** What somebody has to know about it, where there is anything. */
export function About({ content, view }: { content: OwnSubscription; view: PortalView }) {
  const { words } = view.speech
  const { row } = content
  const { about } = words.phases[row.phase]
  return (
    <>
      {row.parked_reason !== null && <p class="banner note">{words.delayed}</p>}
      {row.parked_reason === null && about !== '' && <p>{about}</p>}
      <Limits content={content} view={view} />
      {row.test_clock_id !== null && <p class="hint">{words.testNote}</p>}
    </>
  )
}

/** Seen as long as a limit is held, with what can be done about it. */
function Limits({ content, view }: { content: OwnSubscription; view: PortalView }) {
  const { words } = view.speech
  const { row } = content
  if (row.phase !== 'active' || row.limits_reached.length === 0) return null
  return (
    <div class="banner note" role="status">
      {reachedLimits(content).map((limit) => (
        <p>
          <strong>{limit.isSpend ? words.spendReached : words.limitReached(limit.title)}</strong>{' '}
          {words.holds[limit.way ?? 'application']}
        </p>
      ))}
      <p>
        {words.limitRemedy}{' '}
        {view.sellerEmail !== null && (
          <a href={`mailto:${view.sellerEmail}?subject=${encodeURIComponent(row.title)}`}>
            {words.askForMore(view.sellerName)}
          </a>
        )}
      </p>
    </div>
  )
}

/** Where it answers. Where nothing really runs, and while it is not reached, there is nothing to open. */
export function OpenButton({ content, speech }: { content: OwnSubscription; speech: Speech }) {
  const { row, instances, dryRunServers } = content
  if (row.phase !== 'active') return null
  const shown = instances.filter(
    ({ host_port: port, state, server_code: server, parent_instance_id: parent }) =>
      port !== null &&
      parent === null &&
      !dryRunServers.has(server) &&
      ['running', 'limited'].includes(state),
  )
  return (
    <>
      {shown.map((instance) => {
        const address = `http://localhost:${instance.host_port}/`
        return (
          <p class="open">
            <a class="button primary" href={address} rel="noreferrer">
              {speech.words.open(instance.display_name ?? instance.application_title)}
            </a>
            <span class="hint">{address}</span>
          </p>
        )
      })}
    </>
  )
}

/** Amount and date of the next invoice. */
export function NextInvoice({ content, speech }: { content: OwnSubscription; speech: Speech }) {
  const { words, formats } = speech
  const { expected, row } = content
  if (expected === null) return <>{words.nothingToCome}</>
  if ('refusal' in expected) return <>{words.notKnownYet}</>
  return (
    <>
      <strong class="amount">{formats.amount(expected.totalMinor, row.currency)}</strong>{' '}
      <time datetime={expected.on}>{words.on(formats.date(expected.on))}</time>
    </>
  )
}
