import type { Tx } from './database.ts'
import { open, seal, type InstallationKey } from './sealing.ts'
import { keepSecrets } from './secret.ts'

type Secrets = Readonly<Record<string, string>>

/** Keeps what was said to a draft in secret, by the codes of its order fields, until it is confirmed. */
export async function keepOrderSecrets(
  tx: Tx,
  orderLineId: string,
  secrets: Secrets,
  key: InstallationKey | null,
): Promise<void> {
  const sealed = sealAll(orderLineId, secrets, key)
  if (sealed.length === 0) return
  await tx
    .insertInto('order_secrets')
    .values(
      sealed.map((secret) => ({
        order_line_id: orderLineId,
        field: secret.name,
        key_id: secret.keyId,
        sealed: secret.sealed,
      })),
    )
    .execute()
}

/** By order line, then by the code of its order field. */
export async function openOrderSecrets(
  tx: Tx,
  orderId: string,
  key: InstallationKey | null,
): Promise<ReadonlyMap<string, Secrets>> {
  const rows = await tx
    .selectFrom('order_secrets')
    .innerJoin('order_lines', 'order_lines.id', 'order_secrets.order_line_id')
    .selectAll('order_secrets')
    .where('order_lines.order_id', '=', orderId)
    .execute()
  const opened = rows.map((row): readonly [string, string, string] => {
    const sealed = { name: row.field, keyId: row.key_id, sealed: row.sealed }
    return [row.order_line_id, row.field, open(present(key), row.order_line_id, sealed)]
  })
  return new Map(
    [...Map.groupBy(opened, ([lineId]) => lineId)].map(([lineId, secrets]) => [
      lineId,
      Object.fromEntries(secrets.map(([, field, value]) => [field, value])),
    ]),
  )
}

/** Sealed for the instance now, they need not stay with the order. */
export async function forgetOrderSecrets(tx: Tx, orderId: string): Promise<void> {
  await tx
    .deleteFrom('order_secrets')
    .where('order_line_id', 'in', tx.selectFrom('order_lines').select('id').where('order_id', '=', orderId))
    .execute()
}

/** What a customer said in secret, beside what is generated for the instance, by the application's variables. */
export async function keepInstanceSecrets(
  tx: Tx,
  instanceId: string,
  secrets: Secrets,
  key: InstallationKey | null,
): Promise<void> {
  const sealed = sealAll(instanceId, secrets, key)
  if (sealed.length > 0) await keepSecrets(tx, instanceId, sealed)
}

function sealAll(ownerId: string, secrets: Secrets, key: InstallationKey | null) {
  return Object.entries(secrets).map(([name, value]) => seal(present(key), ownerId, name, value))
}

function present(key: InstallationKey | null): InstallationKey {
  if (key === null) throw new Error('secrets are sealed and opened with the key file, which was not given')
  return key
}
