import { randomInt } from 'node:crypto'
import type { Db } from '#db/database.ts'
import type { DeployedInstance } from '#db/instance.ts'
import { listLinksOf, offeredBy, type LinkRow } from '#db/link.ts'
import { open, seal, type InstallationKey } from '#db/sealing.ts'
import { findRestoredInstance, keepSecrets, listSecrets } from '#db/secret.ts'
import type { ApplicationDefinition, SecretDefinition } from '#domain/application.ts'
import { linkedVariables, openedValues } from '#domain/link-plan.ts'

const hexadecimal = '0123456789abcdef'
const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * All secret values that an instance is given: its own, and those that its links bring.
 * @throws `link_missing` where an offer has a value no more that was wanted of it
 */
export async function openSecrets(
  db: Db,
  key: InstallationKey,
  instance: Pick<DeployedInstance, 'id' | 'definition' | 'planned'>,
): Promise<Record<string, string>> {
  const own = await openOwnSecrets(db, key, instance)
  const wants = instance.definition.wants ?? []
  if (!wants.some(({ variables }) => Object.keys(variables).length > 0)) return own
  const linked: Record<string, string> = {}
  for (const link of await listLinksOf(db, [instance.id])) {
    if (link.wanting.id !== instance.id || link.want === null) continue
    const values = linkedVariables(link.want, await openLinkValues(db, key, link))
    // What is no secret is in the plan as it is, and nothing that a log must not repeat.
    const planned = instance.planned.links?.find(({ name }) => name === link.name)?.variables ?? {}
    for (const [name, value] of Object.entries(values)) if (planned[name] === null) linked[name] = value
  }
  return { ...own, ...linked }
}

/** What a link tells, with the offering instance's secrets in it. */
export async function openLinkValues(
  db: Db,
  key: InstallationKey,
  link: LinkRow,
): Promise<Record<string, string>> {
  const { offer, offering } = link
  if (offer === null) return {}
  const secrets = await openOwnSecrets(db, key, {
    id: offering.id,
    definition: { secrets: offering.secrets },
  })
  return openedValues(offer, offeredBy(link, offer), secrets)
}

/** The values of an instance's own secrets: generated once, or those of the instance that it was restored from, kept sealed, opened only where they are needed. */
async function openOwnSecrets(
  db: Db,
  key: InstallationKey,
  instance: { id: string; definition: Pick<ApplicationDefinition, 'secrets'> },
): Promise<Record<string, string>> {
  const kept = await listSecrets(db, instance.id)
  const missing = instance.definition.secrets.filter(
    (secret) => !kept.some((row) => row.name === secret.name),
  )
  const inherited = missing.length > 0 ? await openInherited(db, key, instance.id) : new Map<string, string>()
  const generated = missing.map((secret) =>
    seal(key, instance.id, secret.name, inherited.get(secret.name) ?? generateSecret(secret)),
  )
  const all = missing.length > 0 ? await keepSecrets(db, instance.id, generated) : kept
  return Object.fromEntries(all.map((secret) => [secret.name, open(key, instance.id, secret)]))
}

/** Letters and digits, or hexadecimal ones, from the system's random source, without bias. */
export function generateSecret({ length, alphabet }: SecretDefinition): string {
  const signs = alphabet === 'hex' ? hexadecimal : lettersAndDigits
  return Array.from({ length }, () => signs[randomInt(signs.length)]).join('')
}

async function openInherited(db: Db, key: InstallationKey, instanceId: string): Promise<Map<string, string>> {
  const from = await findRestoredInstance(db, instanceId)
  if (from === undefined) return new Map()
  const kept = await listSecrets(db, from)
  return new Map(kept.map((secret) => [secret.name, open(key, from, secret)]))
}
