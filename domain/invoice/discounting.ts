/** A discount that a customer, or one subscription of his, has. */
export interface DiscountInForce {
  readonly id: string
  readonly name: string
  readonly scope: 'line' | 'document'
  /** One of the two; the amount in minor units. */
  readonly percent: string | null
  readonly amountMinor: number | null
  /** Only lines of this product, or of this subscription. */
  readonly productId: string | null
  readonly subscriptionId: string | null
  readonly startsOn: string
  readonly endsOn: string | null
  /** So many periods, counted from the first day; null is without end. */
  readonly periodCount: number | null
}
