import { dateIn } from '#domain/calendar.ts'
import { answerCsv } from '../csv.ts'
import type { Frame } from '../frame.ts'
import { BuildProgress } from './build.tsx'
import { UsageGauge } from './gauge.tsx'
import { InvoiceRows } from './invoices.tsx'
import { Lines } from './lines.tsx'
import type { Own, OwnSubscription } from './own.ts'
import { portalPage, type PortalBody, type PortalView } from './portal-page.tsx'
import { Spend, type RefusedCap } from './spend.tsx'
import { About, NextInvoice, OpenButton, Standing } from './standing.tsx'
import { gaugesOf, warningsOf } from './usage.ts'

const shownInvoices = 6

/** One subscription: how it stands, what is used, what it costs, what was billed. */
export function registerPortalSubscription(frame: Frame): void {
  portalPage(frame, { method: 'get', path: '/portal/subscriptions/:id' }, async (own, view, ctx) =>
    subscriptionBody(own, view, { id: ctx.req.param('id') ?? '' }),
  )
  for (const of of ['usage', 'readings'] as const) {
    portalPage(
      frame,
      { method: 'get', path: `/portal/subscriptions/:id/${of}.csv` },
      async (own, _view, ctx) => answerCsv(ctx, await own.usageFile(ctx.req.param('id') ?? '', of)),
    )
  }
}

/** @param of.refusedCap what a cap was sent as, that is none */
export async function subscriptionBody(
  own: Own,
  view: PortalView,
  of: { readonly id: string; readonly refusedCap?: RefusedCap },
): Promise<PortalBody> {
  const content = await own.subscription(of.id)
  const invoices = await own.invoices({
    limit: shownInvoices,
    cursor: null,
    direction: 'after',
    subscriptionId: content.row.id,
  })
  const { words } = view.speech
  return {
    title: content.row.title,
    current: 'overview',
    children: (
      <>
        <Header content={content} view={view} />
        <BuildProgress content={content} view={view} />
        <Usage content={content} view={view} />
        <Spend content={content} view={view} refusedCap={of.refusedCap} />
        <section aria-labelledby="lines-title">
          <h2 class="section-title" id="lines-title">
            {words.lines}
          </h2>
          <Lines content={content} view={view} />
        </section>
        <section aria-labelledby="invoices-title">
          <h2 class="section-title" id="invoices-title">
            {words.invoices}
          </h2>
          {invoices.length === 0 ? (
            <p class="empty">{words.noInvoices}</p>
          ) : (
            <InvoiceRows rows={invoices.slice(0, shownInvoices)} view={view} />
          )}
        </section>
      </>
    ),
  }
}

interface ContentProps {
  readonly content: OwnSubscription
  readonly view: PortalView
}

function Header({ content, view }: ContentProps) {
  const { words } = view.speech
  const { row } = content
  return (
    <>
      <p class="trail">
        <a href="/portal">
          <span class="arrow" aria-hidden="true">
            ←
          </span>{' '}
          {words.toOverview}
        </a>
      </p>
      <header class="subject">
        <div>
          <h1>{row.title}</h1>
          <p>
            <Standing row={row} speech={view.speech} />
          </p>
          <About content={content} view={view} />
        </div>
        <div>
          <OpenButton content={content} speech={view.speech} />
        </div>
        <Facts content={content} view={view} />
      </header>
    </>
  )
}

function Facts({ content, view }: ContentProps) {
  const { words, formats } = view.speech
  const { row, expected } = content
  return (
    <dl class="facts wide">
      <div>
        <dt>{words.nextInvoice}</dt>
        <dd>
          <NextInvoice content={content} speech={view.speech} />
          {expected !== null && !('refusal' in expected) && <div class="hint">{words.withTax}</div>}
        </dd>
      </div>
      {row.trial_ends_on !== null && (
        <div>
          <dt class="visually-hidden">{words.price}</dt>
          <dd>{words.freeUntil(formats.date(row.trial_ends_on))}</dd>
        </div>
      )}
      {row.starts_on !== null && row.activated_at !== null && (
        <div>
          <dt>{words.from}</dt>
          <dd>{formats.date(row.starts_on)}</dd>
        </div>
      )}
      {row.ends_on !== null && (
        <div>
          <dt>{words.end}</dt>
          <dd>
            {row.phase === 'ended'
              ? words.endedOn(formats.date(row.ends_on))
              : words.endsOn(formats.date(row.ends_on))}
          </dd>
        </div>
      )}
    </dl>
  )
}

function Usage({ content, view }: ContentProps) {
  const { words, formats } = view.speech
  const gauges = gaugesOf(content, view.speech)
  const isMetered = content.lines.some(({ billing_type: type }) => type === 'usage')
  if (content.row.phase === 'ended') return null
  return (
    <section aria-labelledby="usage-title">
      <h2 class="section-title" id="usage-title">
        {words.usage}
      </h2>
      {gauges.length === 0 && <p class="empty">{isMetered ? words.meteringBegins : words.nothingMetered}</p>}
      {gauges.map((gauge) => (
        <UsageGauge gauge={gauge} />
      ))}
      {content.present !== null && content.present.lines.length > 0 && (
        <p>{words.costSoFar(formats.amount(content.present.costMinor, content.row.currency))}</p>
      )}
      <Warnings content={content} view={view} />
      {isMetered && content.row.activated_at !== null && (
        <p class="files">
          <a href={`/portal/subscriptions/${content.publicId}/usage.csv`} download="">
            {words.usageToTake}
          </a>{' '}
          ·{' '}
          <a href={`/portal/subscriptions/${content.publicId}/readings.csv`} download="">
            {words.readingsToTake}
          </a>
        </p>
      )}
    </section>
  )
}

/** Told once a share and period, and kept: who looks later sees it as well. */
function Warnings({ content, view }: ContentProps) {
  const { words, formats } = view.speech
  const warnings = warningsOf(content, view.speech)
  if (warnings.length === 0) return null
  return (
    <>
      <h3>{words.warnedOf}</h3>
      <ul class="rows">
        {warnings.map(({ at, says }) => (
          <li>
            <span>{says}</span>
            <time class="right" datetime={at}>
              {formats.date(dateIn(view.timeZone, at))}
            </time>
          </li>
        ))}
      </ul>
    </>
  )
}
