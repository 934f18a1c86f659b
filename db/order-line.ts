import type { PlannedLine, PlannedSubscription } from '#domain/order.ts'
import type { Tx } from './database.ts'
import { newId } from './identifier.ts'
import { noteSoldLimit } from './limit.ts'

/** What a line keeps of its product and its price, whatever becomes of these. */
export function agreedColumns({ product, interval, price, quantity }: PlannedLine) {
  return {
    product_id: product.id,
    product_version: product.version,
    billing_type: product.billingType,
    billing_timing: product.billingTiming,
    interval_count: interval?.count ?? null,
    interval_unit: interval?.unit ?? null,
    description: product.name,
    quantity,
    unit: product.unit,
    price: JSON.stringify(price.price),
    terms: JSON.stringify(product.terms),
    tax_category: product.taxCategory,
    price_list_item_id: price.priceListItemId,
    conversion: price.conversion === undefined ? null : JSON.stringify(price.conversion),
    metric: product.metric,
    limit_code: product.limitCode,
  }
}

/** The lines of a subscription as they were agreed; activation dates them, and puts them on documents. */
export async function insertPlannedLines(
  tx: Tx,
  subscriptionId: string,
  planned: PlannedSubscription,
  instances: ReadonlyMap<string, string>,
): Promise<void> {
  const [firstInstance] = instances.values()
  const ids = new Map<PlannedLine, string>()
  for (const [position, line] of planned.lines.entries()) {
    const id = newId()
    ids.set(line, id)
    const ownApplication = line.product.applicationIds.find((applicationId) => instances.has(applicationId))
    const instanceId = (ownApplication ? instances.get(ownApplication) : firstInstance) ?? null
    await tx
      .insertInto('subscription_lines')
      .values({
        id,
        first_line_id: id,
        subscription_id: subscriptionId,
        document_id: null,
        instance_id: instanceId,
        position,
        ...agreedColumns(line),
        main_line_id: (line.main && ids.get(line.main)) ?? null,
        starts_on: null,
        ends_on: null,
      })
      .execute()
    if (line.product.limitCode && instanceId)
      await noteSoldLimit(tx, { instanceId, code: line.product.limitCode, quantity: line.quantity })
  }
}
