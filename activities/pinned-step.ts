import { keepPin, listPins } from '#db/instance-image.ts'
import type { DeployedInstance } from '#db/instance.ts'
import { openRegistryLogin } from '#db/registry.ts'
import type { EngineStep, ImageStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { repairCommand } from '#domain/finding.ts'
import { pinStep } from '#domain/image-pin.ts'
import { registryOf } from '#domain/registry.ts'
import type { RunnerContext, StepOutcome } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'

/** What a step is carried out for. */
export interface PinnedStep<Step extends EngineStep = EngineStep> {
  readonly instance: DeployedInstance
  readonly step: Step
  /** Nobody asked: an image that had to be built anew is not taken. */
  readonly isUnasked?: boolean
}

/**
 * Carries out a step with the images that the instance runs: what a name means is looked up once, when it is first built, and kept
 * before any container is made of it. Every later container is made of the same.
 */
export async function ensurePinned(
  deps: ServerDependencies,
  { instance, step, isUnasked = false }: PinnedStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  if (step.kind === 'image') {
    const running = await runningImage(deps, instance, step, ctx)
    if (running !== undefined) return running
    const pinned = pinStep(step, await pinsOf(deps, instance))
    return await ensureImage(deps, { instance, step: pinned, isUnasked }, ctx)
  }
  if (step.kind === 'container') {
    const source = instance.definition.services.find(({ name }) => name === step.service)
    const unpinned = { ...step, image: source?.image.reference ?? step.image }
    return await deps.runner.ensure(pinStep(unpinned, await pinsOf(deps, instance)), ctx)
  }
  const outcome = await deps.runner.ensure(step, ctx)
  if (step.kind === 'ready') await refuseOtherImages(deps, instance, ctx)
  return outcome
}

/** What was there before runs an image of its own, whatever its name means here: that is what its service runs from now on. */
async function runningImage(
  { db, runner }: ServerDependencies,
  instance: DeployedInstance,
  step: ImageStep,
  ctx: RunnerContext,
): Promise<StepOutcome | undefined> {
  const { takenOver } = instance.planned
  if (takenOver === undefined) return undefined
  const { reference } = step.image
  const services = instance.definition.services.filter(({ image }) => image.reference === reference)
  const { containers } = await runner.observe(instance.planned, ctx)
  const found = containers.find(
    ({ service, externalId }) =>
      services.some(({ name }) => name === service) && takenOver.containers[service]?.id === externalId,
  )
  if (found === undefined) return undefined
  const imageId = found.imageDigest
  await keepPin(db, instance, { reference, repositoryDigest: null, imageId })
  return { externalId: imageId, isAdopted: true, detail: `image of container ${found.name}, which runs` }
}

async function pinsOf({ db }: Pick<ServerDependencies, 'db'>, { id }: Pick<DeployedInstance, 'id'>) {
  return (await listPins(db, [id])).get(id) ?? []
}

async function ensureImage(
  { db, runner, installationKey }: ServerDependencies,
  { instance, step, isUnasked }: PinnedStep<ImageStep>,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  const { reference } = step.image
  const login = await openRegistryLogin(db, installationKey, registryOf(reference))
  const signedIn =
    login === undefined
      ? ctx
      : { ...ctx, registryLogin: login, secrets: { ...ctx.secrets, registryPassword: login.password } }
  const outcome = await runner.ensure(step, signedIn)
  const { externalId: imageId, repositoryDigest = null } = outcome
  const isOther = step.pin !== undefined && step.pin.imageId !== imageId && repositoryDigest === null
  if (isUnasked && isOther) {
    const { instance: id } = instance.planned
    const detail = `The image ${reference} that was running is gone; built anew from the same files it is another one. To take that: ${repairCommand(id)}`
    throw new BusinessError('image_gone', detail)
  }
  await keepPin(db, instance, { reference, repositoryDigest, imageId })
  return outcome
}

/** Ready is what was observed: that it answers, and that it runs what is recorded. */
async function refuseOtherImages(
  deps: ServerDependencies,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const { definition, planned } = instance
  const pins = await pinsOf(deps, instance)
  const wanted = new Map(
    definition.services.map(({ name, image }) => [
      name,
      pins.find(({ reference }) => reference === image.reference)?.imageId,
    ]),
  )
  const { containers } = await deps.runner.observe(planned, ctx)
  for (const { name, service, imageDigest } of containers) {
    const imageId = wanted.get(service)
    if (imageId === undefined || imageId === imageDigest) continue
    throw new BusinessError(
      'image_changed',
      `container ${name} runs ${imageDigest}, its image was resolved as ${imageId}`,
    )
  }
}
