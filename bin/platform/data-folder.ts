import { randomBytes } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { renameSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'

const smallestFreeGib = 1
const gib = 1024 ** 3

export type DataFolder = {
  path: string
  logs: string
  /** 32 random bytes, base64: what everything secret in the database is sealed with. */
  keyFile: string
  postgresPassword: string
}

const secretsSchema = z.object({ postgresPassword: z.string().min(1) })

/** The one folder everything of this installation lives in; made on the first start, found again on the next. */
export function ensureDataFolder(path: string): DataFolder {
  try {
    // The server's user must pass through; every secret in it has a narrow mode of its own.
    mkdirSync(path, { recursive: true })
    chmodSync(path, 0o711)
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 })
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw new PlatformProblem(
      {
        found: `The data folder ${path} cannot be written: ${messageOf(error)}.`,
        wanted: 'A folder this user may write.',
        command: 'CLOUDER_DATA=$HOME/clouder-data npm start',
        stillWorks: 'Nothing was changed.',
      },
      { cause: error },
    )
  }
  requireFreeDisk(path)
  const keyFile = ensureKeyFile(join(path, 'installation.key'))
  return { path, logs: join(path, 'logs'), keyFile, ...ensureSecrets(join(path, 'secrets.json')) }
}

/** A database on a full disk stops in the middle of something; it is better not to begin. */
export function requireFreeDisk(path: string, smallestGib = smallestFreeGib): void {
  const { bavail, bsize } = statfsSync(path)
  const freeGib = (bavail * bsize) / gib
  if (freeGib >= smallestGib) return
  throw new PlatformProblem({
    found: `${freeGib.toFixed(2)} GiB are free where ${path} is.`,
    wanted: `${smallestGib} GiB or more.`,
    command: 'CLOUDER_DATA=/a/bigger/disk/clouder npm start   # or make room there',
    stillWorks: 'Nothing was started, so nothing is half done.',
  })
}

/** Replaces a file in one move, so that a reader and a crash meet the old or the new content, never a part. */
export function writePrivateFile(path: string, content: string, mode = 0o600): void {
  const scratch = `${path}.${randomBytes(4).toString('hex')}`
  writeFileSync(scratch, content, { mode, flag: 'wx' })
  renameSync(scratch, path)
}

/** The key that everything secret is sealed with, made once. */
export function ensureKeyFile(path: string): string {
  if (!existsSync(path)) writePrivateFile(path, `${randomBytes(32).toString('base64')}\n`, 0o400)
  return path
}

function ensureSecrets(path: string): z.infer<typeof secretsSchema> {
  if (!existsSync(path)) {
    const secrets = { postgresPassword: randomBytes(24).toString('base64url') }
    writePrivateFile(path, `${JSON.stringify(secrets, undefined, 2)}\n`)
  }
  return secretsSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
}
