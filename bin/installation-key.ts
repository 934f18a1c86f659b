import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { InstallationKey } from '#db/sealing.ts'

/** The key of an installation, by the hash of which a sealed value names it. @throws when the file holds no key */
export function readInstallationKey(file: string): InstallationKey {
  return toInstallationKey(readFileSync(file, 'utf8'), file)
}

/** @param text 32 bytes in base64 @param from where it comes from, for who reads why it is none */
export function toInstallationKey(text: string, from = 'what was given'): InstallationKey {
  const bytes = Buffer.from(text.trim(), 'base64')
  if (bytes.length !== 32) throw new Error(`${from} does not hold 32 bytes in base64`)
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 16), bytes }
}
