import type { Child } from 'hono/jsx'
import type { ChangeRequestRow } from '#db/read/change-request.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount, formatQuantity } from './format.ts'
import { Day, ExactMoment, Moment, Section, State, Table } from './parts.tsx'

/** Who asked for what, what it meant and cost on that day, and what became of it. */
export function ChangeRequestFacts({ view, row }: { view: ConsoleView; row: ChangeRequestRow }) {
  const { preview } = row
  const money = (amountMinor: number) => formatAmount(amountMinor, preview.currency)
  return (
    <Section id="request" title={`${preview.product} from ${preview.from} to ${preview.to}`}>
      <dl class="facts wide">
        <Fact name="State">
          <RequestState row={row} />
        </Fact>
        <Fact name="Asked by">
          <code>{row.requested_by}</code>
          <div class="hint">
            for {row.customer_name}, <ExactMoment at={row.created_at} timeZone={view.timeZone} />
          </div>
          {row.message !== null && <div>“{row.message}”</div>}
        </Fact>
        {row.instance_id !== null && (
          <Fact name="Instance">
            <code>{encodeId('instance', row.instance_id)}</code>
          </Fact>
        )}
        <Fact name="Takes effect">
          <Day date={preview.effectiveOn} />
          <div class="hint">{preview.direction === 'upgrade' ? 'an upgrade' : 'a downgrade'}</div>
        </Fact>
        <Fact name="Credit">{money(preview.creditMinor)}</Fact>
        <Fact name="Charge">{money(preview.chargeMinor)}</Fact>
        {preview.limit !== null && (
          <Fact name={`Limit of the instance, ${preview.limit.code}`}>
            {formatQuantity(preview.limit.from)} → {formatQuantity(preview.limit.to)}
          </Fact>
        )}
        <Fact name="Next invoice">
          {preview.nextInvoice === null ? (
            'It shows on none.'
          ) : (
            <>
              {money(preview.nextInvoice.totalMinor)} on <Day date={preview.nextInvoice.on} />
            </>
          )}
        </Fact>
      </dl>
    </Section>
  )
}

function RequestState({ row }: { row: ChangeRequestRow }) {
  if (row.state === 'open')
    return (
      <>
        <State state="planned">open</State> <div class="hint">Nothing has changed yet.</div>
      </>
    )
  return (
    <>
      <State state={row.state === 'applied' ? 'done' : 'failed'}>{row.state}</State>
      {row.decided_by !== null && <div class="hint">by {row.decided_by}</div>}
      {row.refused_reason !== null && <div>{row.refused_reason}</div>}
    </>
  )
}

/** What customers asked of a subscription, newest first. */
export function ChangeRequestsSection(props: { view: ConsoleView; rows: readonly ChangeRequestRow[] }) {
  if (props.rows.length === 0) return null
  return (
    <Section id="requests" title="Asked for" isLive>
      <Table caption="Changes that were asked for" head={['What', 'State', 'Asked']}>
        {props.rows.map((row) => (
          <tr>
            <th scope="row">
              <a href={`/change-requests/${encodeId('changeRequest', row.id)}`}>
                {row.preview.product} from {row.preview.from} to {row.preview.to}
              </a>
            </th>
            <td>
              <RequestState row={row} />
            </td>
            <td>
              <Moment at={row.created_at} {...props.view} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}

function Fact(props: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}
