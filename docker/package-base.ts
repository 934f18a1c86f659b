import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { BusinessError, messageOf } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call } from './engine.ts'
import { findImage, pullImage } from './image-pull.ts'

/** Named by the Dockerfiles too, so that they build with plain `docker compose up`. */
const PUBLIC_DEBIAN = 'debian:bookworm-slim'
const IMPORT_DEADLINE_MS = 2 * 60_000

/** The root file system of a Debian with its package manager, as the worker's machine can make one. */
export interface PackageArchive {
  /** Changes whenever what it is made from does. */
  readonly contentHash: string
  /** Makes it, hands it over as a tar stream, and keeps nothing of it. */
  readonly make: (abortSignal: AbortSignal, use: (archive: Readable) => Promise<void>) => Promise<void>
}

/** One at a time for each base: two builds that begin together share it. */
const underway = new Map<string, Promise<void>>()

/**
 * The base of images that install packages: made on this machine where it can be, else the public image. The answer is its
 * reference.
 * @throws `image_unreachable` where there is neither
 */
export async function ensurePackageBase(
  docker: Docker,
  archive: PackageArchive | undefined,
  ctx: RunnerContext,
): Promise<string> {
  if (archive === undefined) return await ensurePublicDebian(docker, ctx)
  const reference = `clouder/package-base:${archive.contentHash}`
  if ((await findImage(docker, reference, ctx)) !== undefined) return reference
  const making = underway.get(reference) ?? importArchive(docker, archive, reference, ctx)
  underway.set(reference, making)
  try {
    await making
  } finally {
    underway.delete(reference)
  }
  return reference
}

async function ensurePublicDebian(docker: Docker, ctx: RunnerContext): Promise<string> {
  if ((await findImage(docker, PUBLIC_DEBIAN, ctx)) !== undefined) return PUBLIC_DEBIAN
  try {
    await pullImage(docker, PUBLIC_DEBIAN, ctx)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const detail =
      `the image is built of Debian's packages, and there is no base for it: debootstrap is not here, or does not run as root, ` +
      `and ${PUBLIC_DEBIAN} cannot be had. On Debian or Ubuntu: apt-get install debootstrap, start the worker again as root, then ` +
      `retry (${error.message})`
    throw new BusinessError('image_unreachable', detail, { cause: error })
  }
  return PUBLIC_DEBIAN
}

async function importArchive(
  docker: Docker,
  archive: PackageArchive,
  reference: string,
  ctx: RunnerContext,
): Promise<void> {
  ctx.onProgress("making a base of Debian's packages; usually under 2 minutes")
  const [repo, tag] = reference.split(':')
  const importFrom = async (stream: Readable): Promise<void> =>
    await call(
      ctx,
      `import image ${reference}`,
      async (abortSignal) => {
        const changes = 'LABEL io.clouder.managed=true'
        const answer = await docker.importImage(stream, { repo, tag, changes, abortSignal })
        answer.resume()
        await new Promise((resolve, reject) => answer.once('end', resolve).once('error', reject))
      },
      IMPORT_DEADLINE_MS,
    )
  try {
    await archive.make(ctx.abortSignal, importFrom)
  } catch (error) {
    ctx.abortSignal.throwIfAborted()
    const detail =
      `the base of the image could not be made of Debian's packages: ${messageOf(error)}. ` +
      `Connect the server to its package mirror, then retry`
    throw new BusinessError('image_unreachable', detail, { cause: error })
  }
}
