import type { PlannedAddition } from './addition.ts'
import { fieldError } from './errors.ts'
import type { PlannedLine, PlannedSubscription } from './order.ts'

/** How what was sold here stands with the installation that deploys it. */
export type DeploymentState = (typeof deploymentStates)[number]

/** `planned` until it was seen to run there, `stopped` while it is suspended there at our wish, `ended` once nothing is left of it. */
export const deploymentStates = ['planned', 'running', 'stopped', 'ended'] as const

/** A reading of a usage feed that has not come to its end. */
export interface FeedReading {
  readonly next: string
  /** Where the reading after this one begins: told with its first page, before which nothing is recorded any more. */
  readonly resume: string
  readonly begunAt: string
}

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

/**
 * What is ordered at a deployer is a product or kit of its own and a quantity. Whatever else an order says of what is deployed there would
 * be sold here, and reach nobody.
 * @param deployerOf codes of deployers by the products that they deploy
 * @throws `deployed_elsewhere` with the pointer of what was said or chosen
 */
export function checkDeployedElsewhere(
  planned: readonly Pick<PlannedSubscription, 'lines' | 'places'>[],
  additions: readonly PlannedAddition[],
  deployerOf: ReadonlyMap<string, string>,
): void {
  for (const { lines, places } of planned) {
    for (const line of lines) checkToldElsewhere(line, places, deployerOf)
  }
  for (const { line, options, orderLineIndex } of additions) {
    for (const { product } of [line, ...options]) {
      const deployer = deployerOf.get(product.id)
      if (deployer === undefined) continue
      const detail = `${product.code} is deployed by ${deployer}, as a subscription of its own: order it without naming one.`
      throw fieldError(`/lines/${orderLineIndex}/subscription`, 'deployed_elsewhere', detail)
    }
  }
}

function checkToldElsewhere(
  { product, main, orderLineIndex }: PlannedLine,
  places: Readonly<Record<string, string>>,
  deployerOf: ReadonlyMap<string, string>,
): void {
  const refuse = (pointer: string, deployer: string, what: string) => {
    const detail = `${what} does not reach ${deployer}, which deploys it: leave it out, and say it there.`
    return fieldError(pointer, 'deployed_elsewhere', detail)
  }
  const deployer = deployerOf.get(product.id)
  for (const { code, variable } of [...product.options, ...product.orderFields]) {
    const place = variable === null ? undefined : places[variable]
    if (deployer !== undefined && place !== undefined)
      throw refuse(place, deployer, `What ${product.code} asks under ${code}`)
  }
  const mainDeployer = main === null ? undefined : deployerOf.get(main.product.id)
  const isTold = product.limitCode !== null || Object.keys(product.features ?? {}).length > 0
  if (mainDeployer !== undefined && deployer === undefined && isTold && product.applicationIds.length === 0)
    throw refuse(
      `/lines/${orderLineIndex}`,
      mainDeployer,
      `${product.code} beside ${main?.product.code ?? ''}`,
    )
}

/** Where something is deployed, or was planned to be. */
export interface DeployedThere {
  readonly deployer: string
  /** The subscription over there; null until it is known. */
  readonly subscriptionThere: string | null
}

/** Why a change is refused that would be billed here, and not be made over there. @param what as a sentence begins */
export function sayDeployedElsewhere(what: string, { deployer, subscriptionThere }: DeployedThere): string {
  const there = subscriptionThere === null ? '' : ` at ${subscriptionThere}`
  return `${what} does not reach ${deployer}, which deploys it. Change it there${there} and agree its price here, or order anew what is wanted and cancel this one.`
}

/** What is used there is recorded there within this time, by whichever clock: then a feed that is read has it. */
export const recordedThereWithinMs = 10 * 60_000

/** Signals to a deployer's workflow. */
export const deployerSignals = { lookNow: 'lookNow' } as const

/** The reason for which it is suspended over there at our wish. */
export const suspensionThere = 'biller'

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
