import { sayPresentUsage } from '#domain/invoice/present-usage.ts'
import type { DocumentLineDraft } from '#domain/invoice/document.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount, formatPeriod, formatQuantity, plural } from './format.ts'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { refusedUsagePath } from './refused-usage-events.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { UsageChart } from './usage-chart.tsx'
import { UsageFilter } from './usage-filter.tsx'

/** What was metered since the last invoice, rated as the next one will. */
export function UsageSection({ view, content }: { view: ConsoleView; content: SubscriptionContent }) {
  const { expected } = content
  const lines = expected === null || 'refusal' in expected ? [] : expected.lines
  const metered = lines.filter((line) => line.kind === 'usage')
  return (
    <Section id="usage" title="Usage so far" isLive>
      {metered.length > 0 ? (
        <Table
          caption="Metered since the last invoice"
          head={['Metered', { number: 'Used' }, 'Period', 'Read', { number: 'Amount' }]}
        >
          {metered.map((line) => (
            <UsageLine
              view={view}
              now={content.testClock?.now_at ?? view.now}
              line={line}
              filter={filterOf(content, line)}
              currency={content.row.currency}
            />
          ))}
        </Table>
      ) : (
        <Empty>{whyNothing(content)}</Empty>
      )}
      {content.present?.lines.map((line) => (
        <UsageChart
          line={line}
          days={content.days.get(line) ?? []}
          says={sayPresentUsage(line, content.row.currency)}
        />
      ))}
      {content.lines.some((line) => line.billing_type === 'usage') && <Files content={content} />}
    </Section>
  )
}

/** What was billed, to take along, and what was pushed and is not in it. */
function Files({ content: { publicId } }: { content: SubscriptionContent }) {
  const path = `/v1/subscriptions/${publicId}/usage`
  return (
    <p class="hint">
      What was billed, as CSV: <a href={`${path}/windows.csv`}>quantities</a>,{' '}
      <a href={`${path}/readings.csv`}>readings and events</a>. What was reported and is not billed:{' '}
      <a href={refusedUsagePath}>refused usage events</a>.
    </p>
  )
}

function filterOf({ lines }: SubscriptionContent, { subscriptionLineId }: DocumentLineDraft) {
  return lines.find(({ id }) => id === subscriptionLineId)?.terms.usageFilter
}

function whyNothing({ row, lines }: SubscriptionContent): string {
  if (!lines.some((line) => line.billing_type === 'usage'))
    return 'Nothing is metered: every line has a fixed price.'
  if (row.phase === 'ended') return 'Nothing is metered any more; what was is on the invoices.'
  return 'Metering begins with the day the subscription becomes active.'
}

function UsageLine(props: {
  view: ConsoleView
  now: string
  line: DocumentLineDraft
  filter: readonly UsageCondition[] | undefined
  currency: string
}) {
  const { line } = props
  const { usage } = line.explanation
  return (
    <tr>
      <th scope="row">
        {line.description}
        <UsageFilter filter={props.filter} />
      </th>
      <td class="number">
        {formatQuantity(line.quantity)} {line.unit}
      </td>
      <td>{line.servicePeriod && formatPeriod(line.servicePeriod.start, line.servicePeriod.end)}</td>
      <td>
        {plural(usage?.readingCount ?? 0, 'reading')}
        {usage !== undefined && usage.eventCount > 0 && <>, {plural(usage.eventCount, 'reported event')}</>}
        {usage?.lastReadAt != null && (
          <div class="hint">
            last <Moment at={usage.lastReadAt} now={props.now} timeZone={props.view.timeZone} />
          </div>
        )}
      </td>
      <td class="number">{formatAmount(line.amountMinor, props.currency)}</td>
    </tr>
  )
}
