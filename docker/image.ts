import { join, resolve, sep } from 'node:path'
import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import type { ImageStep } from '#domain/build-plan.ts'
import { digestOf, pinnedName, repositoryDigestOf, type ImagePin } from '#domain/image-pin.ts'
import type { RunnerContext, StepOutcome } from '#domain/runner.ts'
import { ensureBase } from './base-image.ts'
import { hashFiles, readFolder } from './folder.ts'
import { buildImage } from './image-build.ts'
import { findImage, pullImage } from './image-pull.ts'
import { ensurePackageBase, type PackageArchive } from './package-base.ts'
import { ensureProgramBase, type Program } from './program-base.ts'
import { readProgram, withProgram } from './program.ts'
import { withProgress } from './progress.ts'

export interface ImageSources {
  /** Folder of the applications whose images are built here. */
  readonly applicationsFolder: string
  /** A static busybox, out of which the base of stand-in images is made; empty: the public busybox image. */
  readonly busyboxPath: string
  /** Out of which the base of images that install packages is made; left out: the public Debian image. */
  readonly packageArchive?: PackageArchive | undefined
  /** Of which images of this installation's own program are made; left out: there are none. */
  readonly program?: Program
  /** How long a pull or build may tell of no progress; left out: 60 s for a pull, five minutes for a build. */
  readonly silenceMs?: number
}

/**
 * An image that is there is taken as it is: nothing is pulled or built again. Of an instance that has run before it is the very
 * image of then, whatever its name means by now; only one that is built here is built anew from the same files, and has another id.
 * @throws `image_gone` where it is neither on the server nor in its registry any more
 */
export async function ensureImage(
  docker: Docker,
  sources: ImageSources,
  step: ImageStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  const { pin } = step
  const { reference, from } = step.image
  const found = await findWanted(docker, step, ctx)
  if (found !== undefined) return toOutcome(step, found, { isAdopted: true, how: 'was there' })
  await withProgress(ctx, silenceOf(sources, step), async (watched) => {
    if (from === 'folder') await buildFromFolder(docker, sources, step, watched)
    else await (pin === undefined ? pullImage(docker, reference, watched) : pullPinned(docker, pin, watched))
  })
  const how = madeFrom(step.image)
  const made =
    from === 'folder' ? await findImage(docker, reference, ctx) : await findWanted(docker, step, ctx)
  if (made === undefined) {
    if (pin !== undefined) throw imageGone(pin)
    throw new Error(`image ${reference} was ${how} and is not there`)
  }
  return toOutcome(step, made, { isAdopted: false, how })
}

function toOutcome(
  step: ImageStep,
  found: Docker.ImageInspectInfo,
  { isAdopted, how }: { isAdopted: boolean; how: string },
): StepOutcome {
  const { reference, from } = step.image
  const repositoryDigest =
    from === 'folder'
      ? null
      : (step.pin?.repositoryDigest ?? repositoryDigestOf(reference, found.RepoDigests ?? []))
  const detail = `image ${reference} ${how}`
  return { externalId: found.Id, isAdopted, repositoryDigest, detail }
}

/** By its digest first; the engine may have it and not know the digest any more. */
async function findWanted(docker: Docker, { image, pin }: ImageStep, ctx: RunnerContext) {
  if (pin === undefined) return await findImage(docker, image.reference, ctx)
  return (
    (await findImage(docker, pinnedName(pin), ctx)) ??
    (pin.repositoryDigest === null ? undefined : await findImage(docker, pin.imageId, ctx))
  )
}

/** One that was never pulled by digest can only be pulled by its name, and is the same one or of no use. */
async function pullPinned(docker: Docker, pin: ImagePin, ctx: RunnerContext): Promise<void> {
  try {
    await pullImage(docker, pin.repositoryDigest === null ? pin.reference : pinnedName(pin), ctx)
  } catch (error) {
    if (error instanceof BusinessError && error.code === 'image_unknown') throw imageGone(pin, error)
    throw error
  }
}

function imageGone(pin: ImagePin, cause?: unknown): BusinessError {
  const detail =
    `image ${pin.reference} ran as ${digestOf(pin)}, and is neither on the server nor in its registry any more. ` +
    'Load it on the server or put it back into the registry, then retry; nothing else is run in its place'
  return new BusinessError('image_gone', detail, { cause })
}

const pullSilenceMs = 60_000
/** A build may work for long without a word: a package that is compiled tells of nothing. */
const buildSilenceMs = 5 * 60_000

function silenceOf({ silenceMs }: ImageSources, { image }: ImageStep) {
  const isPull = image.from === 'registry'
  return {
    what: `${isPull ? 'pull' : 'build'} image ${image.reference}`,
    silenceMs: silenceMs ?? (isPull ? pullSilenceMs : buildSilenceMs),
  }
}

function madeFrom(image: ImageStep['image']): string {
  if (image.from === 'registry') return 'pulled'
  if (image.needsProgram === true) return "built of this installation's program"
  return image.needsPackages === true ? "built from Debian's packages" : 'built from local parts'
}

async function buildFromFolder(
  docker: Docker,
  sources: ImageSources,
  step: ImageStep,
  ctx: RunnerContext,
): Promise<void> {
  if (step.image.from !== 'folder') return
  const { reference, folder, contentHash } = step.image
  const root = resolve(sources.applicationsFolder, step.application)
  const path = resolve(join(root, folder))
  if (!path.startsWith(root + sep))
    throw new BusinessError('application_refused', `${folder} leads out of ${step.application}`)
  const files = await readFolder(path)
  const program = await readOwnProgram(sources, step.image)
  const found = program === undefined ? hashFiles(files) : withProgram(hashFiles(files), hashFiles(program))
  if (found !== contentHash) {
    const detail = `the files of application ${step.application} have changed since ${reference} was planned: read the application again`
    throw new BusinessError('image_unknown', detail)
  }
  const base = await baseOf(docker, sources, step.image, ctx)
  ctx.onProgress(`building image ${reference}`)
  const build = {
    reference,
    files: [...files, ...(program ?? []).map((file) => ({ ...file, path: `program/${file.path}` }))],
    buildArguments: { BASE: base },
    labels: step.labels,
    hasNetwork: step.image.needsPackages ?? false,
  }
  await buildImage(docker, build, ctx)
}

type FolderImage = Extract<ImageStep['image'], { from: 'folder' }>

/** Of one whose program is not here the hash is another, and it is refused. */
async function readOwnProgram({ program }: ImageSources, image: FolderImage) {
  if (image.needsProgram !== true) return undefined
  return program === undefined ? [] : await readProgram(program.folder)
}

async function baseOf(
  docker: Docker,
  { program, packageArchive, busyboxPath }: ImageSources,
  { needsProgram, needsPackages }: FolderImage,
  ctx: RunnerContext,
): Promise<string> {
  if (needsProgram === true) return await ensureProgramBase(docker, { program, packageArchive }, ctx)
  if (needsPackages === true) return await ensurePackageBase(docker, packageArchive, ctx)
  return await ensureBase(docker, busyboxPath, ctx)
}
