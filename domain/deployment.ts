import { fieldError } from './errors.ts'
import type { PlannedSubscription } from './order.ts'

/** How what was sold here stands with the installation that deploys it. */
export type DeploymentState = (typeof deploymentStates)[number]

/** `planned` until it was seen to run there, `stopped` while it is suspended there at our wish, `ended` once nothing is left of it. */
export const deploymentStates = ['planned', 'running', 'stopped', 'ended'] as const

/** A subscription as the other side tells of it. */
export interface SeenThere {
  /** Its id over there. */
  readonly subscription: string
  readonly phase: string
  readonly parkedReason: string | null
  /** Where the first of what runs there answers, on its server; null where nothing does. */
  readonly address: string | null
}

/**
 * What another system bills is deployed here: each subscription of such an order builds something, and none of its lines joins one
 * that is billed here.
 * @throws `field_invalid`
 */
export function checkBilledElsewhere(
  planned: readonly Pick<PlannedSubscription, 'applicationIds'>[],
  additions: readonly unknown[],
): void {
  const refuse = (detail: string) => fieldError('/billed_elsewhere', 'field_invalid', detail)
  if (additions.length > 0)
    throw refuse('A line cannot join a subscription in an order that is billed elsewhere.')
  if (planned.some(({ applicationIds }) => applicationIds.length === 0))
    throw refuse('Something of this order builds nothing: there is nothing to deploy of it.')
}

/** Signals to a deployer's workflow. */
export const deployerSignals = { lookNow: 'lookNow' } as const

/** The reason for which it is suspended over there at our wish. */
export const suspensionThere = 'biller'

/** What is told of a subscription, as far as it is kept here. */
export function readThere(told: {
  readonly id: string
  readonly phase: string
  readonly parked_reason: string | null
  readonly instances: readonly { readonly address: string | null }[]
}): SeenThere {
  const address = told.instances.find((instance) => instance.address !== null)?.address ?? null
  return { subscription: told.id, phase: told.phase, parkedReason: told.parked_reason, address }
}

/**
 * The order that is placed there, by the deployment's id: known there under it, it is found again whatever was lost. It has an
 * environment of its own, so that what two of our customers have never shares a network.
 */
export function orderThere(
  deploymentId: string,
  sold: {
    readonly product_there: string | null
    readonly kit_there: string | null
    readonly quantity: string
  },
  customer: string,
) {
  const [, code = ''] = deploymentId.split('_')
  const named = sold.kit_there === null ? { product: sold.product_there } : { kit: sold.kit_there }
  return {
    customer,
    external_id: deploymentId,
    billed_elsewhere: true,
    environment: { name: `dpl-${code}` },
    lines: [{ ...named, quantity: sold.quantity, external_id: deploymentId }],
  }
}
