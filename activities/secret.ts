import { randomInt } from 'node:crypto'
import type { Db } from '#db/database.ts'
import { open, seal, type InstallationKey } from '#db/sealing.ts'
import { keepSecrets, listSecrets } from '#db/secret.ts'
import type { ApplicationDefinition, SecretDefinition } from '#domain/application.ts'

const hexadecimal = '0123456789abcdef'
const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

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
  const generated = missing.map((secret) => seal(key, instance.id, secret.name, generate(secret)))
  const all = missing.length > 0 ? await keepSecrets(db, instance.id, generated) : kept
  return Object.fromEntries(all.map((secret) => [secret.name, open(key, instance.id, secret)]))
}

/** Letters and digits, or hexadecimal ones, from the system's random source, without bias. */
function generate({ length, alphabet }: SecretDefinition): string {
  const signs = alphabet === 'hex' ? hexadecimal : lettersAndDigits
  return Array.from({ length }, () => signs[randomInt(signs.length)]).join('')
}
