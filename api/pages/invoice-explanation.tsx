import { describeExchangeRate } from '#domain/exchange-rate.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import type { RatingStep } from '#domain/pricing/rated-price.ts'
import type { ConsoleView } from './console-page.tsx'
import { formatAmount, formatPeriod, formatQuantity, formatUnitPrice, plural } from './format.ts'
import { Day, ExactMoment } from './parts.tsx'

/** A line of an invoice, or of one that is to come. */
interface ExplainedLine {
  /** Of the element, so that it can be linked to. */
  readonly id: string
  readonly description: string
  readonly unit: string
  readonly explanation: InvoiceLineExplanation
  readonly ratedMinor: number
  readonly subscriptionId: string | null
  /** Null where it is not frozen yet. */
  readonly usageWindowId: string | null
}

interface ExplanationProps {
  readonly view: ConsoleView
  readonly line: ExplainedLine
  readonly currency: string
}

/** How the amount came about; kept with the line when it was rated, so that it can never differ from the amount. */
export function Explanation(props: ExplanationProps) {
  const { line, currency } = props
  const { formula, exactAmount, steps, discounts } = line.explanation
  return (
    <details class="explanation" id={line.id}>
      <summary>
        How this came about<span class="visually-hidden">: {line.description}</span>
      </summary>
      <p>
        <code>{formula}</code> = {formatAmount(line.ratedMinor, currency)}
        {exactAmount === undefined
          ? ', rounded once.'
          : `, rounded once from ${formatUnitPrice(exactAmount, currency)}.`}
      </p>
      {steps !== undefined && (
        <ul>
          {steps.map((step) => (
            <li>{describeStep(step, currency)}</li>
          ))}
        </ul>
      )}
      <Share explanation={line.explanation} />
      <Credited line={line} currency={currency} />
      <Usage {...props} />
      <PriceFrom line={line} currency={currency} />
      {discounts?.map(({ name, amountMinor }) => (
        <p>
          Discount {name}: −{formatAmount(amountMinor, currency)}.
        </p>
      ))}
      <Tax explanation={line.explanation} />
    </details>
  )
}

/** The price as it was agreed, and where it was read. */
function PriceFrom({ line, currency }: Omit<ExplanationProps, 'view'>) {
  const { price, priceListItemId, conversion } = line.explanation
  if (price === undefined) return null
  return (
    <p>
      Price: {describePriceModel(price, currency, line.unit)}, from{' '}
      {priceListItemId === undefined ? 'the product' : 'a price list'}
      {conversion !== undefined && (
        <>
          , converted by {describeExchangeRate(conversion)} of {conversion.source} for{' '}
          <Day date={conversion.validOn} />
        </>
      )}
      .
    </p>
  )
}

function Credited({ line, currency }: Omit<ExplanationProps, 'view'>) {
  const { chargedMinor, creditedMinor } = line.explanation
  if (chargedMinor === undefined) return null
  return (
    <p>
      It gives back of {formatAmount(chargedMinor, currency)} that were charged
      {creditedMinor !== undefined &&
        `, of which ${formatAmount(creditedMinor, currency)} had been given back`}
      .
    </p>
  )
}

function Share({ explanation }: { explanation: InvoiceLineExplanation }) {
  const { daysServed, daysOfCycle, cycle } = explanation
  if (daysServed === undefined || daysOfCycle === undefined) return null
  if (daysServed === daysOfCycle) return <p>The whole period of {plural(daysOfCycle, 'day')}.</p>
  return (
    <p>
      {plural(daysServed, 'day')} of a period of {plural(daysOfCycle, 'day')}
      {cycle !== undefined && `, ${formatPeriod(cycle.start, cycle.end)}`}.
    </p>
  )
}

function Usage({ view, line }: ExplanationProps) {
  const { usage, billedQuantity, notBilledQuantity } = line.explanation
  if (usage === undefined) return null
  const isAssumed = usage.readingCount + usage.eventCount === 0 && usage.quantity !== '0'
  if (isAssumed) {
    return (
      <p>
        Assumed: {formatQuantity(usage.quantity)} {usage.unit}.
      </p>
    )
  }
  return (
    <p>
      Measured: {formatQuantity(usage.quantity)} {usage.unit}, from {plural(usage.readingCount, 'reading')}
      {usage.eventCount > 0 && ` and ${plural(usage.eventCount, 'reported event')}`}.
      {usage.firstReadAt !== null && usage.lastReadAt !== null && (
        <>
          {' '}
          First read <ExactMoment at={usage.firstReadAt} timeZone={view.timeZone} />, last{' '}
          <ExactMoment at={usage.lastReadAt} timeZone={view.timeZone} />.
        </>
      )}
      {usage.formula !== undefined && (
        <>
          {' '}
          By the formula <code>{usage.formula}</code>.
        </>
      )}
      {usage.isPending && ' Pending: what could not be read yet comes on a later invoice.'}
      <Readings line={line} />
      {notBilledQuantity !== undefined &&
        ` Not billed, above the most that is: ${formatQuantity(notBilledQuantity)} ${usage.unit}.`}
      {billedQuantity !== undefined && ` Billed before: ${formatQuantity(billedQuantity)} ${usage.unit}.`}
    </p>
  )
}

function Readings({ line: { subscriptionId, usageWindowId } }: Pick<ExplanationProps, 'line'>) {
  const path =
    usageWindowId !== null
      ? `/usage-windows/${encodeId('usageWindow', usageWindowId)}`
      : subscriptionId !== null && `/subscriptions/${encodeId('subscription', subscriptionId)}#usage`
  return (
    path && (
      <>
        {' '}
        <a href={path}>Readings</a>.
      </>
    )
  )
}

function Tax({ explanation }: { explanation: InvoiceLineExplanation }) {
  const { tax } = explanation
  if (tax === undefined) return null
  const rates = tax.rates.map(({ name, ratePercent }) => `${name} ${ratePercent} %`).join(', ')
  return (
    <p>
      Tax of category {tax.of} on <Day date={tax.on} />: {rates === '' ? 'none' : rates}, by the rule “
      {tax.rule.replaceAll('_', ' ')}”.
    </p>
  )
}

/** One step of the price as a sentence. */
function describeStep(step: RatingStep, currency: string): string {
  const money = (amount: string) => formatUnitPrice(amount, currency)
  switch (step.kind) {
    case 'included':
      return `${formatQuantity(step.quantity)} are included and cost nothing`
    case 'above_greatest':
      return `${formatQuantity(step.quantity)} are above the greatest quantity and cost nothing`
    case 'counted_in_packages':
      return `counted in ${formatQuantity(step.packages)} packages of ${formatQuantity(step.packageSize)}`
    case 'units':
      return `${formatQuantity(step.quantity)} at ${money(step.unitAmount)}${step.perUnits === undefined ? '' : ` per ${formatQuantity(step.perUnits)}`}: ${money(step.amount)}`
    case 'flat':
      return `flat: ${money(step.amount)}`
    case 'tier':
      return `${formatQuantity(step.quantity)} in the tier ${describeBounds(step)}${describeTierPrice(step, money)}: ${money(step.amount)}`
    case 'package':
      return `${formatQuantity(step.packages)} packages of ${formatQuantity(step.packageSize)} at ${money(step.packageAmount)}: ${money(step.amount)}`
    case 'free':
      return `${step.events} events worth ${money(step.value)} are free`
    case 'percent':
      return `${step.ratePercent} % of ${money(step.value)}: ${money(step.amount)}`
    case 'events':
      return `${step.events} events at ${money(step.amountPerEvent)}: ${money(step.amount)}`
    case 'least_per_event':
    case 'greatest_per_event':
      return `${step.events} events at their ${step.kind === 'least_per_event' ? 'least' : 'greatest'} of ${money(step.bound)}: ${money(step.amount)}`
    case 'grid':
      return `${formatQuantity(step.quantity)} ${step.value ?? 'sold'}, by the step from ${step.from}${step.gridKind === 'times_value' ? ', times the value' : ''}: ${money(step.each)}: ${money(step.amount)}`
    case 'committed':
    case 'overage':
      return `${formatQuantity(step.quantity)} ${step.kind === 'committed' ? 'committed' : 'beyond the commitment'} at ${money(step.unitAmount)}: ${money(step.amount)}`
    case 'true_up':
      return `up to what was committed: ${money(step.amount)}`
    case 'formula':
      return `by the formula ${step.formula}: ${money(step.amount)}`
    case 'least':
    case 'greatest':
      return `${step.kind === 'least' ? 'at least' : 'at most'} ${money(step.bound)}: ${money(step.amount)}`
  }
}

function describeBounds({ from, upTo }: { from: string; upTo: string | null }): string {
  if (upTo === null) return `above ${formatQuantity(from)}`
  return from === '0'
    ? `up to ${formatQuantity(upTo)}`
    : `above ${formatQuantity(from)} up to ${formatQuantity(upTo)}`
}

function describeTierPrice(
  step: Extract<RatingStep, { kind: 'tier' }>,
  money: (amount: string) => string,
): string {
  const each =
    step.ratePercent !== undefined
      ? ` at ${step.ratePercent} %`
      : step.unitAmount === undefined
        ? ''
        : ` at ${money(step.unitAmount)}`
  return step.flatAmount === '0' ? each : `${each} and ${money(step.flatAmount)} flat`
}
