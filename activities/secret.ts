import { createCipheriv, createDecipheriv, randomBytes, randomInt } from 'node:crypto'
import type { Db } from '#db/database.ts'
import { keepSecrets, listSecrets, type SealedSecret } from '#db/secret.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import type { InstallationKey } from './dependencies.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The values of an instance's secrets: generated once, kept sealed, opened only where they are needed. */
export async function openSecrets(
  db: Db,
  key: InstallationKey,
  instance: { id: string; definition: ApplicationDefinition },
): Promise<Record<string, string>> {
  const kept = await listSecrets(db, instance.id)
  const missing = instance.definition.secrets.filter(
    (secret) => !kept.some((row) => row.name === secret.name),
  )
  const generated = missing.map((secret) => seal(key, instance.id, secret.name, generate(secret.length)))
  const all = missing.length > 0 ? await keepSecrets(db, instance.id, generated) : kept
  return Object.fromEntries(all.map((secret) => [secret.name, open(key, instance.id, secret)]))
}

/** Letters and digits from the system's random source, without bias. */
function generate(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** AES-256-GCM: nonce, tag, text. Bound to instance and name, so that a sealed value moved elsewhere does not open. */
export function seal(key: InstallationKey, instanceId: string, name: string, value: string): SealedSecret {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
  cipher.setAAD(Buffer.from(`${instanceId}/${name}`))
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
  return { name, keyId: key.id, sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]) }
}

/** @throws if the key is another one, or the sealed value was changed or moved */
export function open(key: InstallationKey, instanceId: string, secret: SealedSecret): string {
  if (secret.keyId !== key.id)
    throw new Error(
      `secret ${secret.name} is sealed with key ${secret.keyId}, this installation has ${key.id}`,
    )
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, secret.sealed.subarray(0, 12))
  decipher.setAAD(Buffer.from(`${instanceId}/${secret.name}`))
  decipher.setAuthTag(secret.sealed.subarray(12, 28))
  return Buffer.concat([decipher.update(secret.sealed.subarray(28)), decipher.final()]).toString('utf8')
}
