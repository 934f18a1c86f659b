import { fieldError } from './errors.ts'
import {
  planProductLines,
  type Catalog,
  type OrderRequestLine,
  type OrderTerms,
  type PlannedLine,
} from './order.ts'

/** A line that joins a subscription and its instance (B-18). */
export interface PlannedAddition {
  readonly orderLineIndex: number
  readonly subscriptionId: string
  readonly line: PlannedLine
  /** What was chosen among its options. */
  readonly options: readonly PlannedLine[]
}

/**
 * The lines of an order that join a subscription instead of making one: what recurs pays for the days up to the next
 * boundary of its document first (C-03), a one-time fee is on the next invoice.
 * One that sells a limit is an extra quantity on top of it until the period's end (D-43).
 * @throws `addon_not_available` for what would build an application, sell a limit for good or tell a running application
 *   something, which needs a workflow; and as `planOrder`
 */
export function planAdditions(
  request: readonly OrderRequestLine[],
  catalog: Catalog,
  terms: OrderTerms,
): PlannedAddition[] {
  return request.flatMap((asked, index) => {
    if (asked.joins === undefined) return []
    const { lines, answers } = planProductLines(asked, index, catalog, terms)
    const [{ product }] = lines
    if (product.applicationIds.length > 0 && product.metric === null && product.limitCode === null) {
      throw refuse(index, `${product.code} builds an application of its own.`)
    }
    if (lines.some((line) => line.product.limitCode !== null && !isExtra(line))) {
      throw refuse(index, `${product.code} sells a limit: change the quantity of its line instead.`)
    }
    if (Object.keys(answers.variables).length > 0) {
      throw refuse(index, `What ${product.code} asks for is told to the application when it is built.`)
    }
    return [{ orderLineIndex: index, subscriptionId: asked.joins, line: lines[0], options: lines.slice(1) }]
  })
}

/** Whether it is sold on top of a limit until the period's end: a one-time fee that sells the limit of what runs already. */
export function isExtra({ interval, product }: Pick<PlannedLine, 'interval' | 'product'>): boolean {
  return interval === null && product.limitCode !== null && product.billingType === 'threshold'
}

function refuse(index: number, detail: string) {
  return fieldError(`/lines/${index}/product`, 'addon_not_available', detail)
}
