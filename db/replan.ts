import { isDeepStrictEqual } from 'node:util'
import type { StepPlan } from '#domain/backup-plan.ts'
import { planSale } from '#domain/build-plan.ts'
import type { Tx } from './database.ts'
import { getDeployedInstance } from './instance.ts'

/**
 * Plans an instance's part of its open build order anew from its row, in the transaction that changed it: what is recorded to be
 * carried out is always what the row says. A container that was made by another plan has to be made again.
 */
export async function replanOpenBuild(tx: Tx, instanceId: string): Promise<void> {
  const { definition, planned } = await getDeployedInstance(tx, instanceId)
  const steps = new Map(planSale(definition, planned).map((step) => [`${step.kind}/${step.name}`, step]))
  const rows = await tx
    .selectFrom('build_steps')
    .innerJoin('build_orders', 'build_orders.id', 'build_steps.build_order_id')
    .select([
      'build_steps.id',
      'build_steps.kind',
      'build_steps.name',
      'build_steps.plan',
      'build_steps.state',
    ])
    .where('build_steps.instance_id', '=', instanceId)
    .where('build_orders.kind', '=', 'build')
    .where('build_orders.state', 'in', ['planned', 'running'])
    .execute()
  for (const row of rows) {
    const plan = steps.get(`${row.kind}/${row.name}`)
    if (plan === undefined || isDeepStrictEqual(row.plan, asKept(plan))) continue
    const isMadeAgain = row.state === 'done' && !makesTheSame(row.plan, plan)
    await tx
      .updateTable('build_steps')
      .set({
        plan,
        title: plan.title,
        ...(isMadeAgain ? { state: 'planned' as const, finished_at: null } : {}),
      })
      .where('id', '=', row.id)
      .execute()
  }
}

/** Whether a container made by one plan is what the other one wants. Which addresses its network has is the network's matter. */
export function makesTheSame(one: StepPlan, other: StepPlan): boolean {
  if (one.kind !== 'container' || other.kind !== 'container') return true
  const { network: _one, ...first } = one
  const { network: _other, ...second } = other
  return isDeepStrictEqual(asKept(first), asKept(second))
}

/** As it comes back from its row. */
function asKept(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
