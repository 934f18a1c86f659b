import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import { connectEngine } from '#docker/engine.ts'
import type { ContainerStep } from '#domain/build-plan.ts'
import { CannotMeasure, type BenchContext } from './benchmark.ts'
import { startInstallation, type BenchInstallation } from './installation.ts'
import { removeLabelled } from './peer-site.ts'

const orderSchema = z.object({ subscriptions: z.array(z.object({ id: z.string() })).min(1) })
const subscriptionSchema = z.object({
  phase: z.string(),
  parked_reason: z.string().nullable(),
  instances: z.array(z.object({ address: z.string() })).length(1),
})

/** A Clouder that deploys for real, and its engine, on which nothing of it is left afterwards. */
export async function startDeploying(
  ctx: BenchContext,
  name: string,
): Promise<{ docker: Docker; installation: BenchInstallation }> {
  const { dockerHost } = ctx.platform
  if (dockerHost === undefined)
    throw new CannotMeasure('There is no Docker engine, and none can be had here.')
  const docker = connectEngine(dockerHost)
  // Deferred first, thus done last: nothing makes a container any more then.
  let installationId: string | undefined
  ctx.defer(async () => {
    if (installationId !== undefined)
      await removeLabelled(docker, `io.clouder.installation=${installationId}`)
  })
  const installation = await startInstallation(ctx.platform, { ...ctx, name, hasWorker: true })
  installationId = installation.installationId
  return { docker, installation }
}

export async function addCustomer({ post }: BenchInstallation, code: string): Promise<void> {
  await post('/v1/customers', { code, name: code, currency: 'USD', time_zone: 'UTC' })
}

/** One order of so many static sites. @returns their subscriptions, and when the order was accepted */
export async function orderSites(
  { post }: BenchInstallation,
  { customer, count }: { customer: string; count: number },
): Promise<{ ids: string[]; acceptedMs: number }> {
  const lines = Array.from({ length: count }, () => ({ product: 'static-site', quantity: '1' }))
  const ordered = await post('/v1/orders', { customer, lines })
  const acceptedMs = performance.now()
  return { ids: orderSchema.parse(ordered).subscriptions.map(({ id }) => id), acceptedMs }
}

export async function addressOf({ get }: BenchInstallation, id: string): Promise<string> {
  return subscriptionSchema.parse(await get(`/v1/subscriptions/${id}`)).instances[0]?.address ?? ''
}

export async function cancelNow({ post }: BenchInstallation, id: string): Promise<void> {
  await post(`/v1/subscriptions/${id}/cancel`, { when: 'now', reason: 'it was measured' })
}

export async function untilPhase(
  { get }: BenchInstallation,
  id: string,
  { phase: wanted, patienceMs, pollMs }: { phase: string; patienceMs: number; pollMs: number },
): Promise<void> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const { phase, parked_reason: reason } = subscriptionSchema.parse(await get(`/v1/subscriptions/${id}`))
    if (phase === wanted) return
    if (reason !== null || performance.now() > untilMs)
      throw new Error(`${id} should be ${wanted} and is ${phase}, parked: ${reason}`)
    await sleep(pollMs)
  }
}

/** The plan of the first container that Clouder made: what is made by hand has its very options. */
export async function readContainerStep({ db }: BenchInstallation): Promise<ContainerStep> {
  const { plan } = await db
    .selectFrom('build_steps')
    .select('plan')
    .where('kind', '=', 'container')
    .orderBy('id')
    .executeTakeFirstOrThrow()
  if (plan.kind !== 'container') throw new Error(`a step of kind container holds a plan of ${plan.kind}`)
  return plan
}
