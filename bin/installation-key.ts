import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { InstallationKey } from '#db/sealing.ts'

/** The key of an installation, by the hash of which a sealed value names it. @throws when the file holds no key */
export function readInstallationKey(file: string): InstallationKey {
  const bytes = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (bytes.length !== 32) throw new Error(`${file} does not hold 32 bytes in base64`)
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 16), bytes }
}
