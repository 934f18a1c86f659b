import { randomInt } from 'node:crypto'
import type { Db } from '#db/database.ts'
import { open, seal, type InstallationKey } from '#db/sealing.ts'
import { findRestoredInstance, keepSecrets, listSecrets } from '#db/secret.ts'
import type { ApplicationDefinition, SecretDefinition } from '#domain/application.ts'

const hexadecimal = '0123456789abcdef'
const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The values of an instance's secrets: generated once, or those of the instance that it was restored from, kept sealed, opened only where they are needed. */
export async function openSecrets(
  db: Db,
  key: InstallationKey,
  instance: { id: string; definition: ApplicationDefinition },
): Promise<Record<string, string>> {
  const kept = await listSecrets(db, instance.id)
  const missing = instance.definition.secrets.filter(
    (secret) => !kept.some((row) => row.name === secret.name),
  )
  const inherited = missing.length > 0 ? await openInherited(db, key, instance.id) : new Map<string, string>()
  const generated = missing.map((secret) =>
    seal(key, instance.id, secret.name, inherited.get(secret.name) ?? generate(secret)),
  )
  const all = missing.length > 0 ? await keepSecrets(db, instance.id, generated) : kept
  return Object.fromEntries(all.map((secret) => [secret.name, open(key, instance.id, secret)]))
}

/** Letters and digits, or hexadecimal ones, from the system's random source, without bias. */
function generate({ length, alphabet }: SecretDefinition): string {
  const signs = alphabet === 'hex' ? hexadecimal : lettersAndDigits
  return Array.from({ length }, () => signs[randomInt(signs.length)]).join('')
}

async function openInherited(db: Db, key: InstallationKey, instanceId: string): Promise<Map<string, string>> {
  const from = await findRestoredInstance(db, instanceId)
  if (from === undefined) return new Map()
  const kept = await listSecrets(db, from)
  return new Map(kept.map((secret) => [secret.name, open(key, from, secret)]))
}
