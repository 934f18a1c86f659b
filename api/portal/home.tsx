import type { Frame } from '../frame.ts'
import { toListPage } from '../pages/page-links.ts'
import { toPageRequest } from '../pagination.ts'
import { encodeId } from '#domain/identifier.ts'
import type { OpenAmount } from '#db/read/invoice.ts'
import type { SubscriptionRow } from '#db/read/subscription.ts'
import { UsageGauge } from './gauge.tsx'
import type { OwnSubscription } from './own.ts'
import { portalPage, type PortalView } from './portal-page.tsx'
import { NextInvoice, OpenButton, Standing } from './standing.tsx'
import { gaugesOf } from './usage.ts'
import { MorePages } from './parts.tsx'

const shownSubscriptions = 20

/** What a customer has, how it stands, what it costs next, and what is to be paid. */
export function registerPortalHome(frame: Frame): void {
  portalPage(frame, { method: 'get', path: '/portal' }, async (own, view, ctx) => {
    const request = toPageRequest({ limit: shownSubscriptions, ...ctx.req.query() })
    const [read, ended, openAmounts] = await Promise.all([
      own.subscriptions({ ...request, isEnded: false }),
      own.subscriptions({ limit: shownSubscriptions, cursor: null, direction: 'after', isEnded: true }),
      own.openAmounts(),
    ])
    const page = toListPage(read, request, { path: '/portal', filter: {} })
    const contents = await own.contentOf(page.rows)
    const { words } = view.speech
    return {
      title: words.overview,
      current: 'overview',
      children: (
        <>
          <h1>{view.customerName}</h1>
          <OpenAmounts amounts={openAmounts} view={view} />
          <section class="plainsection" aria-labelledby="subscriptions-title">
            <h2 class="section-title" id="subscriptions-title">
              {words.subscriptions}
            </h2>
            {contents.length === 0 && <p class="empty">{words.noSubscriptions}</p>}
            <ul class="cards">
              {contents.map((content) => (
                <Card content={content} view={view} />
              ))}
            </ul>
            <MorePages view={view} {...page} />
          </section>
          <Ended rows={ended.slice(0, shownSubscriptions)} view={view} />
        </>
      ),
    }
  })
}

/** Said first where something is late; else as one line. */
function OpenAmounts({ amounts, view }: { amounts: readonly OpenAmount[]; view: PortalView }) {
  const { words, formats } = view.speech
  if (amounts.length === 0) return <p class="hint">{words.nothingOpen}</p>
  const isLate = amounts.some(({ overdueMinor }) => overdueMinor > 0)
  return (
    <div class={isLate ? 'banner alarm' : 'banner calm'} role={isLate ? 'alert' : 'note'}>
      {amounts.map(({ currency, openMinor, overdueMinor, dueOn }) => (
        <p>
          <strong>
            {words.openAmount}: {formats.amount(openMinor, currency)}
          </strong>
          ,{' '}
          {overdueMinor > 0
            ? words.overdueSince(formats.amount(overdueMinor, currency), formats.date(dueOn))
            : words.dueOn(formats.date(dueOn))}
        </p>
      ))}
      <p>
        <a href="/portal/invoices">{words.toInvoices}</a>
      </p>
    </div>
  )
}

function Card({ content, view }: { content: OwnSubscription; view: PortalView }) {
  const { speech } = view
  const { words, formats } = speech
  const { row, publicId } = content
  return (
    <li class="card">
      <div class="card-head">
        <h3>
          <a href={`/portal/subscriptions/${publicId}`}>{row.title}</a>
        </h3>
        <Standing row={row} speech={speech} />
      </div>
      {row.parked_reason !== null && <p class="hint">{words.delayed}</p>}
      <p class="next">
        <span class="hint">{words.nextInvoice}</span> <NextInvoice content={content} speech={speech} />
        {row.ends_on !== null && <span class="hint"> · {words.endsOn(formats.date(row.ends_on))}</span>}
      </p>
      {gaugesOf(content, speech).map((gauge) => (
        <UsageGauge gauge={gauge} />
      ))}
      <OpenButton content={content} speech={speech} />
    </li>
  )
}

function Ended({ rows, view }: { rows: readonly SubscriptionRow[]; view: PortalView }) {
  const { words, formats } = view.speech
  if (rows.length === 0) return null
  return (
    <details>
      <summary>{words.ended}</summary>
      <ul class="plainlist">
        {rows.map((row) => (
          <li>
            <a href={`/portal/subscriptions/${encodeId('subscription', row.id)}`}>{row.title}</a>{' '}
            {row.ends_on !== null && <span class="hint">{words.endedOn(formats.date(row.ends_on))}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}
