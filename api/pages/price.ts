import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { formatCount, formatInterval, formatUnitPrice } from './format.ts'

type PricedLine = Pick<
  SubscriptionLineRow,
  'billing_type' | 'interval_count' | 'interval_unit' | 'quantity' | 'unit' | 'unit_price' | 'description'
>

/** What a line costs, as a person says it: `5 users at 1.00 USD each, a month`, `1.00 USD per GiB used`. */
export function priceInWords(line: PricedLine, currency: string): string {
  const price = formatUnitPrice(line.unit_price, currency)
  if (line.billing_type === 'usage') return `${price} per ${line.unit} used`
  const per =
    line.interval_count === null || line.interval_unit === null
      ? 'once'
      : formatInterval({ count: line.interval_count, unit: line.interval_unit })
  if (line.quantity === '1') return `${price} ${per}`
  return `${formatCount(line.quantity, line.unit)} at ${price} each, ${per}`
}
