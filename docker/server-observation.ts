import type Docker from 'dockerode'
import { installationLabels, type ContainerStep } from '#domain/build-plan.ts'
import type {
  ObservedObject,
  RunnerContext,
  ServerObservationRequest,
  ServerResource,
} from '#domain/runner.ts'
import { labelsHere } from '#domain/taken-over.ts'
import { differences, environmentDifferences } from './container-options.ts'
import { listByLabels } from './list.ts'
import { findContainer, observeContainer } from './observation.ts'
import { inTurns } from './turn.ts'

/** So many containers are looked at at once: the engine answers others meanwhile. */
const LOOKS_AT_ONCE = 8

type Identity = Pick<ServerResource, 'kind' | 'name'>

/** Three lists tell what is there; each container that may be ours is then looked at by itself. */
export async function observeServer(
  docker: Docker,
  { installation, steps, instances }: ServerObservationRequest,
  ctx: RunnerContext,
): Promise<ObservedObject[]> {
  const identity = ({ kind, name }: Identity): string => `${kind}/${name}`
  const asked = instances === null ? null : new Set(instances)
  const ours = Object.entries(installationLabels(installation))
  const planned = new Map(steps.map((step) => [`${step.kind}/${step.name}`, step]))
  // Without a filter: a foreign object may have a name of ours, and carries none of our labels.
  const all = (await listByLabels(docker, {}, ctx)).map((one) => {
    const step = planned.get(identity(one))
    // What was there before the instance has the labels here that it cannot be given.
    return step?.kind === 'container' || step?.kind === 'volume'
      ? { ...one, labels: labelsHere(step, one) }
      : one
  })
  const concerned = all.filter((one) => {
    if (planned.has(identity(one))) return true
    if (!ours.every(([key, value]) => one.labels[key] === value)) return false
    return asked === null || asked.has(one.labels['io.clouder.instance'] ?? '')
  })
  return await inTurns(concerned, LOOKS_AT_ONCE, async (one) => {
    if (one.kind !== 'container') return { ...one, container: null }
    const step = planned.get(identity(one))
    return await lookAt(docker, one, step?.kind === 'container' ? step : undefined, ctx)
  })
}

/** One that is removed between list and look is simply not there. */
async function lookAt(
  docker: Docker,
  listed: ServerResource,
  step: ContainerStep | undefined,
  ctx: RunnerContext,
): Promise<ObservedObject | undefined> {
  const found = await findContainer(docker, listed.externalId, ctx)
  if (found === undefined) return undefined
  ctx.onProgress(`looked at ${listed.name}`)
  const isCompared =
    step !== undefined && listed.labels['io.clouder.instance'] === step.labels['io.clouder.instance']
  const different = isCompared ? [...differences(step, found), ...environmentDifferences(step, found)] : []
  const labelled = { ...found, Config: { ...found.Config, Labels: { ...listed.labels } } }
  return { ...listed, container: { ...observeContainer(labelled), differences: different } }
}
