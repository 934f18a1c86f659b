import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { BusinessError } from '#domain/errors.ts'
import type { BackupStorage } from './storage.ts'

const SCHEME = 'folder:'
/** Two names, neither of which begins with a dot: a key never leads out of the folder. */
const KEY = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\/[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/** Copies in a folder of the server's worker, which only its own user can read. */
export function createFolderStorage(folder: string): BackupStorage {
  const pathOf = (key: string): string => {
    if (folder === '') throw new BusinessError('backup_failed', 'this worker has no folder for backups')
    if (!KEY.test(key)) throw new Error(`${JSON.stringify(key)} is not a key of the backup folder`)
    return join(folder, key)
  }
  const pathAt = (location: string): string => {
    if (!location.startsWith(SCHEME)) throw new Error(`${location} is not in the backup folder`)
    return pathOf(location.slice(SCHEME.length))
  }
  return {
    async write(key, content, abortSignal) {
      await writeWhole(pathOf(key), content, abortSignal).catch(refuseFull)
      return `${SCHEME}${key}`
    },
    async read(location) {
      return await openFile(pathAt(location), location)
    },
    async remove(location) {
      await removeFile(pathAt(location))
    },
  }
}

/** Written beside, forced to the disk, then moved into place: whenever the process dies, what is in place is whole. */
async function writeWhole(path: string, content: Readable, abortSignal: AbortSignal): Promise<void> {
  const parent = dirname(path)
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const part = `${path}.${randomUUID()}.part`
  const file = await open(part, 'wx', 0o600)
  try {
    for await (const chunk of content) {
      abortSignal.throwIfAborted()
      await file.writeFile(chunk)
    }
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(part, { force: true })
    throw error
  }
  await file.close()
  await rename(part, path)
  await syncFolder(parent)
  // What tries that were killed left: of one that is still under way the move fails, and the copy in place stays whole.
  const left = (await readdir(parent)).filter((name) => isPartOf(name, basename(path)))
  for (const name of left) await rm(join(parent, name), { force: true })
}

function isPartOf(name: string, of: string): boolean {
  return name.startsWith(`${of}.`) && name.endsWith('.part')
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function openFile(path: string, location: string): Promise<Readable> {
  try {
    const file = await open(path, 'r')
    return createReadStream('', { fd: file, highWaterMark: 256 * 1024 })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new BusinessError('backup_failed', `the copy ${location} is not in the backup folder`, {
      cause: error,
    })
  }
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
  try {
    await rmdir(dirname(path))
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(codeOf(error))) throw error
  }
}

/** Trying again by itself would fill the disk again: a person makes room, then retries. */
function refuseFull(error: unknown): never {
  if (['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG'].includes(codeOf(error))) {
    const detail = `the backup folder takes no more: ${error instanceof Error ? error.message : ''}. Make room on the server`
    throw new BusinessError('backup_failed', detail, { cause: error })
  }
  throw error
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
