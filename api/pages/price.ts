import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { formatCount, formatInterval, formatUnitPrice } from './format.ts'

type PricedLine = Pick<
  SubscriptionLineRow,
  'billing_type' | 'interval_count' | 'interval_unit' | 'quantity' | 'unit' | 'price' | 'description'
>

/** What a line costs, as a person says it: `5 users at 1.00 USD each, a month`, `1.00 USD per GiB used`. */
export function priceInWords(line: PricedLine, currency: string): string {
  const unitPrice = unitPriceOf(line.price)
  const price = unitPrice === null ? null : formatUnitPrice(unitPrice, currency)
  if (line.billing_type === 'usage') {
    return price === null
      ? `${pricePerUnit(line, currency)}, for what is used`
      : `${price} per ${line.unit} used`
  }
  const per =
    line.interval_count === null || line.interval_unit === null
      ? 'once'
      : formatInterval({ count: line.interval_count, unit: line.interval_unit })
  if (price === null)
    return `${formatCount(line.quantity, line.unit)}, ${per}: ${pricePerUnit(line, currency)}`
  if (line.quantity === '1') return `${price} ${per}`
  return `${formatCount(line.quantity, line.unit)} at ${price} each, ${per}`
}

/** What one unit costs, or, where that depends on how many there are, the price as a sentence. */
export function pricePerUnit(line: Pick<PricedLine, 'price' | 'unit'>, currency: string): string {
  const unitPrice = unitPriceOf(line.price)
  return unitPrice === null
    ? describePriceModel(line.price, currency, line.unit)
    : formatUnitPrice(unitPrice, currency)
}
