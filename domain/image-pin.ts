import type { EngineStep, ImageStep } from './build-plan.ts'

/**
 * What the name of an image meant when an instance was first built with it. From then on the instance runs this, whatever the name
 * means later.
 */
export interface ImagePin {
  /** As the application names it: `wordpress:6`. */
  readonly reference: string
  /** `sha256:…`, by which its registry has it; null for one that was built or loaded on the server. */
  readonly repositoryDigest: string | null
  /** `sha256:…`, by which the engine has it. */
  readonly imageId: string
}

/** The name without tag and digest: `ghcr.io/acme/shop` of `ghcr.io/acme/shop:2@sha256:…`. */
export function repositoryOf(reference: string): string {
  const [name = ''] = reference.split('@')
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name
}

/** By what an engine is asked for it: `wordpress@sha256:…`, or its own id where no registry has it. */
export function pinnedName(pin: ImagePin): string {
  return pin.repositoryDigest === null
    ? pin.imageId
    : `${repositoryOf(pin.reference)}@${pin.repositoryDigest}`
}

/** What people are shown: the digest of the registry, which is the same everywhere, else the engine's id. */
export function digestOf(pin: Pick<ImagePin, 'repositoryDigest' | 'imageId'>): string {
  return pin.repositoryDigest ?? pin.imageId
}

/**
 * Of the digests under which an engine knows an image, the one of its own repository: of `wordpress:6` and
 * `['mirror/wordpress@sha256:1', 'wordpress@sha256:2']` it is `sha256:2`. Null where there is none.
 */
export function repositoryDigestOf(reference: string, known: readonly string[]): string | null {
  const own = familiar(repositoryOf(reference))
  const found = known.find((name) => familiar(repositoryOf(name)) === own)
  return found?.slice(found.indexOf('@') + 1) ?? null
}

/** The engine leaves out what the public registry's names begin with. */
function familiar(repository: string): string {
  return repository.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')
}

/** A step that was planned before its image was known, as it is carried out once it is. */
export function pinStep<Step extends EngineStep>(step: Step, pins: readonly ImagePin[]): Step {
  if (step.kind === 'image') {
    const pin = pins.find(({ reference }) => reference === step.image.reference)
    return pin === undefined ? step : { ...step, pin }
  }
  if (step.kind !== 'container') return step
  const pin = pins.find((one) => one.reference === step.image || pinnedName(one) === step.image)
  return pin === undefined ? step : { ...step, image: pinnedName(pin), imageId: pin.imageId }
}

/** By what the containers of an image step ask for their image. */
export function imageName({ image, pin }: Pick<ImageStep, 'image' | 'pin'>): string {
  return pin === undefined ? image.reference : pinnedName(pin)
}
