import type { ExpectedBill } from '#db/read/expected-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SimulatedBill } from '#domain/invoice/simulation.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount, formatCount, formatPeriod, formatUnitPrice } from './format.ts'
import { Explanation } from './invoice-explanation.tsx'
import { Day, Table } from './parts.tsx'

interface BillProps {
  readonly view: ConsoleView
  /** What the balance will pay of it is known of the next ones only. */
  readonly bill: SimulatedBill & Partial<Pick<ExpectedBill, 'balanceUsedMinor' | 'dueMinor'>>
  /** Tells the bills of a page apart. */
  readonly id: string
  readonly subscriptionIds: ReadonlyMap<string, string>
  readonly isOpen?: boolean
}

/** An invoice that is to come, with how each of its lines will come about. */
export function BillToCome({ view, bill, id, subscriptionIds, isOpen }: BillProps) {
  const { draft } = bill
  const { currency } = draft
  return (
    <details class="bill" id={id} open={isOpen}>
      <summary>
        <Day date={bill.on} />: {formatAmount(draft.totalMinor, currency)}
        {bill.balanceUsedMinor !== undefined &&
          bill.dueMinor !== undefined &&
          bill.balanceUsedMinor > 0 &&
          `, of which the customer balance pays ${formatAmount(bill.balanceUsedMinor, currency)} and ${formatAmount(bill.dueMinor, currency)} are left to pay`}
        {bill.reason === 'final' && ', the last one'}
        {draft.kind === 'credit_note' && ', a credit note'}
      </summary>
      <Table
        caption={`Invoice of ${bill.on}`}
        head={[
          'For',
          { number: 'Quantity' },
          { number: 'Unit price' },
          'Service',
          { number: 'Net' },
          { number: 'Tax' },
        ]}
      >
        {draft.lines.map((line, index) => (
          <tr>
            <th scope="row">
              {line.description}
              <OfSubscription id={subscriptionIds.get(line.subscriptionLineId ?? '')} />
              {!line.isText && (
                <Explanation
                  view={view}
                  line={{
                    id: `${id}-why-${index}`,
                    description: line.description,
                    unit: line.unit,
                    explanation: line.explanation,
                    ratedMinor: line.ratedMinor,
                    subscriptionId: subscriptionIds.get(line.subscriptionLineId ?? '') ?? null,
                    usageWindowId: null,
                  }}
                  currency={currency}
                />
              )}
            </th>
            <td class="number">{!line.isText && formatCount(line.quantity, line.unit)}</td>
            <td class="number">{line.unitPrice === null ? '' : formatUnitPrice(line.unitPrice, currency)}</td>
            <td>{line.servicePeriod && formatPeriod(line.servicePeriod.start, line.servicePeriod.end)}</td>
            <td class="number">{!line.isText && formatAmount(line.amountMinor, currency)}</td>
            <td class="number">{!line.isText && formatAmount(line.taxMinor, currency)}</td>
          </tr>
        ))}
      </Table>
    </details>
  )
}

function OfSubscription({ id }: { id: string | undefined }) {
  if (id === undefined) return null
  return (
    <div class="hint">
      <a href={`/subscriptions/${encodeId('subscription', id)}`}>its subscription</a>
    </div>
  )
}
