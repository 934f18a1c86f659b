import type Docker from 'dockerode'
import type { ContainerStep, LinkEnd, LinkStep } from '#domain/build-plan.ts'
import type { RunnerContext, StepOutcome } from '#domain/runner.ts'
import { call, isStatus } from './engine.ts'
import { nameTaken } from './identity.ts'
import { ensureNetwork } from './network.ts'
import { findContainer } from './observation.ts'

/** Looks that what is offered runs; an end that is in another environment is attached to the link's network while it runs. */
export async function ensureLink(docker: Docker, step: LinkStep, ctx: RunnerContext): Promise<StepOutcome> {
  const offering = await findEnd(docker, step.offer, ctx)
  if (offering?.State.Running !== true)
    throw new Error(`waits for ${step.offer.container}, which does not run yet`)
  if (step.network !== null) {
    const network = await ensureNetwork(docker, { name: step.network, labels: step.labels }, ctx)
    await attach(docker, offering, { id: network.externalId, aliases: step.offer.aliases }, ctx)
    for (const end of step.wanting) {
      const found = await findEnd(docker, end, ctx)
      if (found !== undefined)
        await attach(docker, found, { id: network.externalId, aliases: end.aliases }, ctx)
    }
  }
  return { externalId: step.link, isAdopted: false, detail: `${step.offer.container} is reached` }
}

/** Before the container starts: what it needs is to be there from its first moment on. */
export async function attachToLinks(
  docker: Docker,
  step: ContainerStep,
  found: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<void> {
  for (const network of step.linkNetworks ?? []) {
    const { externalId: id } = await ensureNetwork(docker, network, ctx)
    await attach(docker, found, { id, aliases: network.aliases }, ctx)
  }
}

async function findEnd(
  docker: Docker,
  end: LinkEnd,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo | undefined> {
  const found = await findContainer(docker, end.container, ctx)
  if (found !== undefined && found.Config.Labels['io.clouder.instance'] !== end.instance)
    throw nameTaken('container', end.container)
  return found
}

async function attach(
  docker: Docker,
  container: Docker.ContainerInspectInfo,
  network: { readonly id: string; readonly aliases: readonly string[] },
  ctx: RunnerContext,
): Promise<void> {
  const isAttached = Object.values(container.NetworkSettings.Networks).some(
    ({ NetworkID: id }) => id === network.id,
  )
  if (isAttached) return
  try {
    await call(ctx, `attach container ${container.Name}`, () =>
      docker.getNetwork(network.id).connect({
        Container: container.Id,
        EndpointConfig: { Aliases: [...network.aliases] },
      }),
    )
  } catch (error) {
    // It was attached by somebody else between look and call.
    if (!isStatus(error, 403)) throw error
  }
}
