import { z } from 'zod'
import type { Db } from '#db/database.ts'
import {
  listLiveDeployments,
  noteDeploymentSeen,
  noteDeploymentsUnchanged,
  type Deployment,
} from '#db/deployment.ts'
import type { SeenThere } from '#domain/deployment.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { toStorable } from '#domain/storable-text.ts'
import type { DeployerCall } from './deployer-call.ts'

/** A subscription as the other side lists it. */
const listedSchema = z.object({
  id: z.string().regex(/^sub_[0-9a-z]{26}$/),
  phase: z.string().regex(/^[a-z_]{1,40}$/),
  parked_reason: z.string().max(200).transform(toStorable).nullable(),
  address: z.string().max(500).transform(toStorable).nullable(),
})

const subscriptionThereSchema = listedSchema.extend({
  suspensions: z.array(z.object({ code: z.string() })),
})

export type SubscriptionThere = z.output<typeof subscriptionThereSchema>

/**
 * How one stands over there, which is kept; undefined where nothing was ordered.
 * @throws `deployer_refuses` where what was seen there before is not known there any more
 */
export async function lookAtDeployment(
  db: Db,
  { deployer, find }: Pick<DeployerCall, 'deployer' | 'find'>,
  deployment: Deployment,
): Promise<SubscriptionThere | undefined> {
  const { id, subscription_there: known } = deployment
  const found = await find(`/v1/subscriptions/${known ?? `ext:${encodeId('deployment', id)}`}`)
  if (found === undefined && known !== null) {
    const detail = `${known} is not known at ${deployer.url} any more: another installation answers there, or one that was restored from an older backup. Give deployer ${deployer.code} the address where it runs.`
    throw new BusinessError('deployer_refuses', detail)
  }
  if (found === undefined) return undefined
  const there = subscriptionThereSchema.parse(found)
  await noteDeploymentSeen(db, deployment, toSeen(there), new Date().toISOString())
  return there
}

function toSeen(there: z.output<typeof listedSchema>): SeenThere {
  const { id, phase, parked_reason: parkedReason, address } = there
  return { subscription: id, phase, parkedReason, address }
}

const pageSize = 100
/** What is in no page has ended there, or is not known: those that were seen longest ago are looked at first. */
const singleLooks = 100

/**
 * How all of them stand, a hundred by each question. One that cannot be looked at holds up no other.
 * @returns how many there are
 * @throws `deployer_refuses` for those, once all were looked at
 */
export async function lookAtDeployments(db: Db, call: DeployerCall): Promise<number> {
  const live = await listLiveDeployments(db, call.deployer.id)
  const left = new Map(live.map((deployment) => [deployment.subscription_there, deployment]))
  const failures: string[] = []
  const attempt = async (deployment: Deployment, look: () => Promise<unknown>) => {
    try {
      await look()
    } catch (error) {
      failures.push(`${deployment.subscription_there}: ${messageOf(error)}`)
    }
  }
  for await (const page of listThere(call, () => left.size > 0)) {
    const now = new Date().toISOString()
    const unchanged: string[] = []
    for (const told of page) {
      const deployment = left.get(idOf(told))
      if (deployment === undefined) continue
      left.delete(deployment.subscription_there)
      await attempt(deployment, async () => {
        const seen = toSeen(listedSchema.parse(told))
        if (isAsSeen(deployment, seen)) unchanged.push(deployment.id)
        else await noteDeploymentSeen(db, deployment, seen, now)
      })
    }
    await noteDeploymentsUnchanged(db, unchanged, now)
  }
  const unlisted = [...left.values()].toSorted(bySight).slice(0, singleLooks)
  for (const deployment of unlisted)
    await attempt(deployment, async () => await lookAtDeployment(db, call, deployment))
  const [first] = failures
  if (first === undefined) return live.length
  throw new BusinessError(
    'deployer_refuses',
    `${failures.length} of ${live.length} cannot be looked at, such as ${first}`,
  )
}

const listSchema = z.object({
  data: z.array(z.unknown()).max(pageSize),
  next_cursor: z.string().min(1).max(1_000).nullable(),
})

/** What of ours has not ended there, page by page, as long as any is wanted. */
async function* listThere(
  { deployer, ask }: DeployerCall,
  isWanted: () => boolean,
): AsyncGenerator<unknown[]> {
  const passed = new Set<string>()
  let after: string | null = null
  while (isWanted()) {
    const query = new URLSearchParams({
      customer: deployer.customer,
      billed_elsewhere: 'true',
      ended: 'false',
      limit: String(pageSize),
      ...(after === null ? {} : { after }),
    })
    const answer = await ask({ method: 'GET', path: `/v1/subscriptions?${query.toString()}` })
    const page: z.output<typeof listSchema> = listSchema.parse(answer)
    yield page.data
    if (page.next_cursor === null) return
    if (passed.has(page.next_cursor)) throw new Error(`the list of ${deployer.code} goes round in a circle`)
    passed.add(page.next_cursor)
    after = page.next_cursor
  }
}

function isAsSeen(deployment: Deployment, { phase, parkedReason, address }: SeenThere): boolean {
  const { phase_there: phaseBefore, parked_there: parkedBefore, address_there: addressBefore } = deployment
  return phaseBefore === phase && parkedBefore === parkedReason && addressBefore === address
}

function idOf(told: unknown): string {
  const { id } = (told ?? {}) as { readonly id?: unknown }
  return typeof id === 'string' ? id : ''
}

function bySight(one: Deployment, other: Deployment): number {
  return (one.seen_at ?? '') < (other.seen_at ?? '') ? -1 : 1
}
