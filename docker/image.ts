import { join, resolve, sep } from 'node:path'
import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import type { ImageStep } from '#domain/build-plan.ts'
import type { RunnerContext, StepOutcome } from '#domain/runner.ts'
import { ensureBase } from './base-image.ts'
import { hashFiles, readFolder } from './folder.ts'
import { buildImage } from './image-build.ts'
import { findImage, pullImage } from './image-pull.ts'
import { ensurePackageBase, type PackageArchive } from './package-base.ts'

export interface ImageSources {
  /** Folder of the applications whose images are built here. */
  readonly applicationsFolder: string
  /** A static busybox, out of which the base of stand-in images is made; empty: the public busybox image. */
  readonly busyboxPath: string
  /** Out of which the base of images that install packages is made; left out: the public Debian image. */
  readonly packageArchive?: PackageArchive | undefined
}

/** An image that is there is taken as it is: nothing is pulled or built again. */
export async function ensureImage(
  docker: Docker,
  sources: ImageSources,
  step: ImageStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  const { reference } = step.image
  const found = await findImage(docker, reference, ctx)
  if (found !== undefined)
    return { externalId: found.Id, isAdopted: true, detail: `image ${reference} was there` }
  const how = madeFrom(step.image)
  if (step.image.from === 'registry') await pullImage(docker, reference, ctx)
  else await buildFromFolder(docker, sources, step, ctx)
  const made = await findImage(docker, reference, ctx)
  if (made === undefined) throw new Error(`image ${reference} was ${how} and is not there`)
  return { externalId: made.Id, isAdopted: false, detail: `image ${reference} ${how}` }
}

function madeFrom(image: ImageStep['image']): string {
  if (image.from === 'registry') return 'pulled'
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
  if (hashFiles(files) !== contentHash) {
    const detail = `the files of application ${step.application} have changed since ${reference} was planned: read the application again`
    throw new BusinessError('image_unknown', detail)
  }
  const hasNetwork = step.image.needsPackages ?? false
  const base = hasNetwork
    ? await ensurePackageBase(docker, sources.packageArchive, ctx)
    : await ensureBase(docker, sources.busyboxPath, ctx)
  ctx.onProgress(`building image ${reference}`)
  const build = { reference, files, buildArguments: { BASE: base }, labels: step.labels, hasNetwork }
  await buildImage(docker, build, ctx)
}
