import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { encodeId } from '#domain/identifier.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { allowedCommands } from '#domain/subscription.ts'
import { isWholeUnit } from '#domain/unit.ts'
import { standingOf } from '../subscription-commands.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatInterval, formatQuantity } from './format.ts'
import { LineActions } from './line-actions.tsx'
import { Day, Empty, Section, Table } from './parts.tsx'
import { pricePerUnit } from './price.ts'
import { changeAddress } from './subscription-change.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'
import { UsageFilter } from './usage-filter.tsx'

interface LinesProps {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
  readonly refused: RefusedForm | undefined
}

/** What was agreed, line by line, and the way to sell another quantity. */
export function LinesSection(props: LinesProps) {
  const { lines, row } = props.content
  const canChange = allowedCommands(standingOf(row)).includes('changePlan')
  return (
    <Section id="lines" title="Lines" isLive>
      {lines.length === 0 ? (
        <Empty>No line is left. The order that made this subscription tells what it was.</Empty>
      ) : (
        <Table
          caption="What is sold"
          head={[
            'Product',
            'Billing',
            { number: 'Quantity' },
            { number: 'Unit price' },
            'From',
            'Until',
            'Change',
          ]}
        >
          {lines.map((line) => (
            <Line {...props} line={line} canChange={canChange} />
          ))}
        </Table>
      )}
      {canChange && lines.some((line) => isChangeable(line)) && (
        <p class="hint">
          More of a threshold line holds from today and is billed to the day; less holds from the next invoice
          {row.next_invoice_on !== null && (
            <>
              {' '}
              on <Day date={row.next_invoice_on} />
            </>
          )}
          . The instance takes the new limit before the sale is made.
        </p>
      )}
    </Section>
  )
}

function Line({ line, canChange, ...props }: LinesProps & { line: SubscriptionLineRow; canChange: boolean }) {
  const { currency } = props.content.row
  return (
    <tr class={line.ends_on === null ? undefined : 'past'}>
      <th scope="row">
        {line.description}
        <div class="hint">{line.product_code}</div>
      </th>
      <td>
        {line.billing_type}
        <div class="hint">{describeTiming(line)}</div>
        <UsageFilter filter={line.terms.usageFilter} />
      </td>
      <td class="number">
        {line.billing_type === 'usage' ? 'metered' : formatQuantity(line.quantity)}
        <div class="hint">{line.unit}</div>
      </td>
      <td class={unitPriceOf(line.price) === null ? undefined : 'number'}>
        {pricePerUnit(line, currency)}
        {isReadAnew(line) && <div class="hint">read anew each period</div>}
      </td>
      <td>{line.starts_on === null ? 'activation' : <Day date={line.starts_on} />}</td>
      <td>{line.ends_on === null ? 'open' : <Day date={line.ends_on} />}</td>
      <td>
        {canChange && isChangeable(line) ? (
          <>
            {line.billing_type === 'threshold' && <ChangeForm {...props} line={line} />}
            <a href={changeAddress(props.content.publicId, line.id)}>
              {line.billing_type === 'threshold' ? 'More…' : 'Change…'}
              <span class="visually-hidden"> {line.description}</span>
            </a>
          </>
        ) : (
          <span class="hint">{whyNoChange(line)}</span>
        )}
        <LineActions {...props} line={line} />
      </td>
    </tr>
  )
}

function isChangeable(line: SubscriptionLineRow): boolean {
  return line.ends_on === null && line.interval_unit !== null
}

/** Terms that are as usual are not kept, and a price is frozen as usual. */
function isReadAnew({ terms }: SubscriptionLineRow): boolean {
  return terms.pricing === 'reevaluated' || terms.pricing === 'grid'
}

/** A cell that offers nothing says why. */
function whyNoChange(line: SubscriptionLineRow): string {
  if (line.ends_on !== null)
    return line.ends_on === line.starts_on && line.billed_until === null ? 'cancelled' : 'closed'
  return line.interval_unit === null ? 'paid once' : 'not now'
}

function describeTiming(line: SubscriptionLineRow): string {
  if (line.interval_count === null || line.interval_unit === null) return 'once'
  const interval = formatInterval({ count: line.interval_count, unit: line.interval_unit })
  return `${interval}, ${line.billing_timing === 'advance' ? 'in advance' : 'in arrears'}`
}

function ChangeForm({ view, content, refused, line }: LinesProps & { line: SubscriptionLineRow }) {
  const lineId = encodeId('subscriptionLine', line.id)
  return (
    <ActionForm view={view} publicId={content.publicId} action="change-plan" class="inline">
      <input type="hidden" name="line" value={lineId} />
      <Field
        id={`quantity-${lineId}`}
        name="quantity"
        label={`New quantity of ${line.description}`}
        isLabelHidden
        type={isWholeUnit(line.unit) ? 'number' : 'text'}
        min="1"
        value={line.quantity}
        refused={refused}
      />
      <button type="submit">
        Change<span class="visually-hidden"> {line.description}</span>
      </button>
    </ActionForm>
  )
}
