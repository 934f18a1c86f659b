import type { Frame } from '../frame.ts'
import { ChangeRequestsSection } from './change-request-facts.tsx'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { ValuesSection } from './instance-values.tsx'
import { InvoiceTable } from './invoices.tsx'
import { Empty, Section } from './parts.tsx'
import { SpendSection } from './spend-caps.tsx'
import { ActionsSection } from './subscription-actions.tsx'
import { BuildSection } from './subscription-build.tsx'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'
import { DeploymentsSection } from './subscription-deployments.tsx'
import type { RefusedForm } from './subscription-form.tsx'
import { SubscriptionHeader } from './subscription-header.tsx'
import { InstancesSection, LimitsSection } from './subscription-instances.tsx'
import { LinesSection } from './subscription-lines.tsx'
import { TimelineSection } from './subscription-timeline.tsx'
import { UsageSection } from './subscription-usage.tsx'
import { WaitingChangesSection } from './waiting-changes.tsx'

export function registerSubscription(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/subscriptions/:id', permission: 'subscriptions:read' },
    async (view, ctx) => {
      const content = await readSubscriptionContent(frame.deps.db, ctx.req.param('id') ?? '')
      return subscriptionBody(view, content)
    },
  )
}

/** A form of the page that came back. */
interface Refused {
  readonly refused?: RefusedForm
  readonly refusedValue?: RefusedInput
  readonly refusedSpend?: RefusedInput
  readonly refusedBuild?: RefusedInput
}

/** The page, as it is opened and as it comes back with a form that was refused. */
export function subscriptionBody(
  view: ConsoleView,
  content: SubscriptionContent,
  refused: Refused = {},
): ConsoleBody {
  return {
    title: `${content.row.title} for ${content.row.customer_name}`,
    current: 'subscriptions',
    liveFilter: `subscription=${content.publicId}`,
    children: <SubscriptionPage view={view} content={content} {...refused} />,
  }
}

function SubscriptionPage(props: Refused & { view: ConsoleView; content: SubscriptionContent }) {
  const { view, content, refused, refusedValue, refusedSpend, refusedBuild } = props
  return (
    <>
      <SubscriptionHeader view={view} content={content} />
      <RefusalSummary refused={refused} />
      <BuildSection view={view} content={content} refused={refusedBuild} />
      <LinesSection view={view} content={content} refused={refused} />
      <WaitingChangesSection view={view} content={content} />
      <div class="columns">
        <div class="stack">
          <UsageSection view={view} content={content} />
          <SpendSection view={view} content={content} refused={refusedSpend} />
          <InstancesSection view={view} content={content} />
          <DeploymentsSection view={view} content={content} />
          <LimitsSection view={view} content={content} />
          <ValuesSection view={view} content={content} refused={refusedValue} />
          <Section id="invoices" title="Invoices" isLive>
            {content.invoices.length === 0 ? (
              <Empty>None yet. The first one is made on the day the subscription becomes active.</Empty>
            ) : (
              <InvoiceTable rows={content.invoices} />
            )}
          </Section>
        </div>
        <div class="stack">
          <ChangeRequestsSection view={view} rows={content.requests} />
          <ActionsSection view={view} content={content} refused={refused} />
          <TimelineSection view={view} content={content} />
        </div>
      </div>
    </>
  )
}

/** Says at the top what was refused, and leads to the field. */
function RefusalSummary({ refused }: { refused: RefusedForm | undefined }) {
  if (!refused) return null
  return (
    <div class="banner alarm" role="alert" id="refusal">
      <strong>Nothing was changed.</strong> {refused.detail}{' '}
      {refused.fieldId !== undefined && <a href={`#${refused.fieldId}`}>Go to the field</a>}{' '}
      <a href={`/docs/errors/${refused.code}`}>{refused.code}</a>
    </div>
  )
}
