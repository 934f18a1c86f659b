import type { CostTarget } from '#domain/margin.ts'
import type { LineName } from '#domain/supplied-line.ts'
import type { Tx } from './database.ts'

/** Says what lines of this name pay for, or with null that it is said no more. */
export async function setCostRule(
  tx: Tx,
  rule: {
    supplierId: string
    matches: LineName
    value: string
    target: CostTarget | null
    actor: string
    now: string
  },
): Promise<void> {
  const { supplierId, matches, value, target } = rule
  if (target === null) {
    await tx
      .deleteFrom('cost_rules')
      .where('supplier_id', '=', supplierId)
      .where('matches', '=', matches)
      .where('value', '=', value)
      .execute()
    return
  }
  const said = {
    server_id: target.kind === 'server' ? target.id : null,
    subscription_id: target.kind === 'subscription' ? target.id : null,
    product_id: target.kind === 'product' ? target.id : null,
    set_by: rule.actor,
    set_at: rule.now,
  }
  await tx
    .insertInto('cost_rules')
    .values({ supplier_id: supplierId, matches, value, ...said })
    .onConflict((conflict) => conflict.columns(['supplier_id', 'matches', 'value']).doUpdateSet(said))
    .execute()
}
