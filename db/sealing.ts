import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SealedSecret } from './secret.ts'

/** The installation's own key, kept outside the database. */
export interface InstallationKey {
  readonly id: string
  /** 32 bytes. */
  readonly bytes: Buffer
}

/** AES-256-GCM: nonce, tag, text. Bound to owner and name, so that a sealed value moved elsewhere does not open. */
export function seal(key: InstallationKey, ownerId: string, name: string, value: string): SealedSecret {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
  cipher.setAAD(Buffer.from(`${ownerId}/${name}`))
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
  return { name, keyId: key.id, sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]) }
}

/** @throws if the key is another one, or the sealed value was changed or moved */
export function open(key: InstallationKey, ownerId: string, secret: SealedSecret): string {
  if (secret.keyId !== key.id)
    throw new Error(
      `secret ${secret.name} is sealed with key ${secret.keyId}, this installation has ${key.id}`,
    )
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, secret.sealed.subarray(0, 12))
  decipher.setAAD(Buffer.from(`${ownerId}/${secret.name}`))
  decipher.setAuthTag(secret.sealed.subarray(12, 28))
  return Buffer.concat([decipher.update(secret.sealed.subarray(28)), decipher.final()]).toString('utf8')
}
