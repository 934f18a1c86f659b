import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { priceSentence } from '#domain/pricing/sentence.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import type { Speech } from './language.ts'
import type { OwnSubscription } from './own.ts'
import type { PortalView } from './portal-page.tsx'

/** What was agreed, line by line: how it is billed, and its price as a sentence. */
export function Lines({ content, view }: { content: OwnSubscription; view: PortalView }) {
  const { words } = view.speech
  // What was replaced before it began was never sold.
  const lines = content.lines.filter((line) => line.starts_on === null || line.starts_on !== line.ends_on)
  if (lines.length === 0) return <p class="empty">{words.noLines}</p>
  return (
    <ul class="rows">
      {lines.map((line) => (
        <Line line={line} currency={content.row.currency} speech={view.speech} />
      ))}
    </ul>
  )
}

interface LineProps {
  readonly line: SubscriptionLineRow
  readonly currency: string
  readonly speech: Speech
}

function Line(props: LineProps) {
  const { line, speech } = props
  const { words, formats } = speech
  const type = words.billingTypes[line.billing_type]
  const hasQuantity = line.billing_type !== 'usage' && line.quantity !== '1'
  return (
    <li class={line.ends_on === null ? undefined : 'past'}>
      <div>
        <strong>
          {hasQuantity && `${formats.quantity(line.quantity)} × `}
          {line.description}
        </strong>
        <div>
          <Price {...props} />
        </div>
      </div>
      <div class="right">
        {type.word}
        <div class="hint">{type.about}</div>
      </div>
      <Dates line={line} speech={speech} />
    </li>
  )
}

function Dates({ line, speech }: Omit<LineProps, 'currency'>) {
  const { words, formats } = speech
  const { starts_on: from, ends_on: until } = line
  if (from === null && until === null) return null
  return (
    <div class="hint">
      {from !== null && <time datetime={from}>{words.since(formats.date(from))}</time>}
      {from !== null && until !== null && ', '}
      {until !== null && <time datetime={until}>{words.endsOn(formats.date(until))}</time>}
    </div>
  )
}

/** The sentence of the catalog; in other languages where the price is simply so much a unit, for the sentence is English. */
function Price({ line, currency, speech }: LineProps) {
  const { language, words, formats } = speech
  const unitPrice = unitPriceOf(line.price)
  const recurrence = recurrenceOf(line)
  if (language === 'en' || unitPrice === null) {
    const { price, unit, billing_type: billingType } = line
    return <span lang="en">{priceSentence({ price, currency, unit, billingType, recurrence })}</span>
  }
  const price = formats.unitPrice(unitPrice, currency)
  if (line.billing_type === 'usage') return <>{words.perUnitUsed(price, formats.unit(line.unit))}</>
  const each = line.unit === 'month' ? price : words.perUnit(price, formats.unit(line.unit))
  const when = recurrence === null ? words.once : words.every(recurrence.count, recurrence.unit)
  return <>{`${each}, ${when}`}</>
}

/** Twelve months are a year, and a month that ends with the calendar's is a month. */
function recurrenceOf(line: SubscriptionLineRow) {
  const { interval_count: count, interval_unit: unit } = line
  if (count === null || unit === null) return null
  if (unit === 'day') return { count, unit } as const
  return count % 12 === 0
    ? ({ count: count / 12, unit: 'year' } as const)
    : ({ count, unit: 'month' } as const)
}
