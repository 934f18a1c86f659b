import type { DeploymentRow } from '#db/read/deployer.ts'
import type { ConsoleView } from './console-page.tsx'
import { Moment, Section, State, Table } from './parts.tsx'
import type { SubscriptionContent } from './subscription-content.ts'

/** What of a subscription another installation deploys, and how it stood there when it was looked at last. */
export function DeploymentsSection({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  if (content.deployments.length === 0) return null
  return (
    <Section id="deployments" title="Deployed elsewhere" isLive>
      <Table
        caption="What another installation deploys"
        head={['What', 'State and what was seen', 'Where', 'Address']}
      >
        {content.deployments.map((row) => (
          <Deployment view={view} row={row} />
        ))}
      </Table>
    </Section>
  )
}

function Deployment({ view, row }: { view: ConsoleView; row: DeploymentRow }) {
  const { subscription_there: there, address_there: address } = row
  return (
    <tr>
      <th scope="row">
        {row.description}
        <div class="hint">
          ordered as {row.kit_there ?? row.product_there} <Moment at={row.created_at} {...view} />
        </div>
      </th>
      <td>
        <State state={row.state} />
        {row.phase_there !== null && <div>over there {row.phase_there}</div>}
        {row.parked_there !== null && <div class="hint">waits for a person there: {row.parked_there}</div>}
        {row.seen_at !== null && (
          <div class="hint">
            seen <Moment at={row.seen_at} {...view} />
          </div>
        )}
      </td>
      <td>
        {row.deployer_code}
        {there !== null && (
          <div class="hint">
            <a href={`${row.deployer_url}/subscriptions/${there}`}>{there}</a>
          </div>
        )}
      </td>
      <td>{address === null ? 'none' : <Address of={address} />}</td>
    </tr>
  )
}

/** The other side says it: what is no web address is not followed. */
function Address({ of }: { of: string }) {
  return /^https?:\/\//.test(of) ? <a href={of}>{of}</a> : <code>{of}</code>
}
