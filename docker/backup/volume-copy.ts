import type Docker from 'dockerode'
import type { RestoreStep, SavedCopy } from '#domain/build-plan.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import type { RunnerContext, SaveRequest, StepOutcome } from '#domain/runner.ts'
import { readArchive, watched, type ArchiveContent } from './archive.ts'
import { emptyVolume, removeCarriers, withCarrier } from './carrier.ts'
import type { BackupStorage } from './storage.ts'

/** What copying needs: an engine, its storage, and what carriers are made from. */
export interface Copying {
  readonly docker: Docker
  readonly storage: BackupStorage
  /** As of `ensureBase`. */
  readonly busyboxPath: string
}

/** Streams a volume into the storage, and counts and hashes on the way: a volume of any size needs the memory of a chunk. */
export async function saveVolume(
  { docker, storage, busyboxPath }: Copying,
  { instance, volume, key }: SaveRequest,
  ctx: RunnerContext,
): Promise<SavedCopy> {
  await removeCarriers(docker, instance, ctx)
  const carried = { instance, volume: volume.name, isReadOnly: true }
  return await withCarrier(docker, busyboxPath, carried, {
    ctx,
    use: async (carrier) => {
      const { content, seen } = watched(await carrier.read(), (bytes) =>
        ctx.onProgress(`saving volume ${volume.volume}: ${inMib(bytes)}`),
      )
      const location = await storage
        .write(key, content, ctx.abortSignal)
        .finally(() => void content.destroy())
      const { bytes, sha256, hasEnd } = seen()
      if (!hasEnd)
        throw new BusinessError(
          'backup_failed',
          `the copy of volume ${volume.volume} was cut off: it is short`,
        )
      return { volume: volume.volume, location, bytes, sha256 }
    },
  })
}

/** Reads a copy back to its last byte. */
export async function verifyCopy(
  { storage }: Pick<Copying, 'storage'>,
  copy: SavedCopy,
  ctx: RunnerContext,
): Promise<ArchiveContent> {
  const { content, seen } = watched(await storage.read(copy.location), (bytes) =>
    ctx.onProgress(`reading back ${copy.volume}: ${inMib(bytes)} of ${inMib(copy.bytes)}`),
  )
  const read = await readArchive(content).catch((error: unknown) => {
    const reason = messageOf(error)
    throw notWhole(copy, `it cannot be read: ${reason}`)
  })
  const { bytes, sha256, hasEnd } = seen()
  if (bytes !== copy.bytes) throw notWhole(copy, `it has ${bytes} bytes, and ${copy.bytes} were saved`)
  if (sha256 !== copy.sha256) throw notWhole(copy, 'its checksum is another than when it was saved')
  if (!hasEnd) throw notWhole(copy, 'it is short')
  return read
}

/** Puts copies into volumes that are new or are emptied first, and reads the volumes to see that all is there. */
export async function restoreVolumes(
  copying: Copying,
  step: RestoreStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  await removeCarriers(copying.docker, step.instance, ctx)
  // Read to the end before the first byte is removed or put anywhere: nothing begins with half of what was.
  for (const copy of step.copies) await verifyCopy(copying, copy, ctx)
  let entries = 0
  for (const copy of step.copies) {
    const { instance } = step
    if (step.isInPlace === true)
      await emptyVolume(copying.docker, copying.busyboxPath, { instance, volume: copy.volume }, ctx)
    entries += await restoreVolume(copying, { instance, copy }, ctx)
  }
  const detail = `${step.copies.length} volume(s) restored and read back, ${entries} entries`
  return { externalId: step.name, isAdopted: false, detail }
}

async function restoreVolume(
  { docker, storage, busyboxPath }: Copying,
  { instance, copy }: { instance: RestoreStep['instance']; copy: SavedCopy },
  ctx: RunnerContext,
): Promise<number> {
  const carried = { instance, volume: copy.volume, isReadOnly: false }
  return await withCarrier(docker, busyboxPath, carried, {
    ctx,
    use: async (carrier) => {
      const told = (bytes: number): void =>
        ctx.onProgress(`restoring volume ${copy.volume}: ${inMib(bytes)} of ${inMib(copy.bytes)}`)
      const wanted = await readArchive(watched(await storage.read(copy.location), told).content)
      const { content } = watched(await storage.read(copy.location), told)
      await carrier.write(content).finally(() => void content.destroy())
      const found = await readArchive(watched(await carrier.read(), told).content)
      if (found.digest !== wanted.digest)
        throw new BusinessError(
          'backup_failed',
          `volume ${copy.volume} does not hold what was restored: ${found.entries} entries, and ${wanted.entries} were saved`,
        )
      return found.entries
    },
  })
}

function notWhole(copy: SavedCopy, why: string): BusinessError {
  return new BusinessError('backup_failed', `the copy of volume ${copy.volume} is not whole: ${why}`)
}

function inMib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
