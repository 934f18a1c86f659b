import { saveApplication } from '#db/application.ts'
import { keepBackup, recordCopy, recordVerified } from '#db/backup.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { noteMetricLook } from '#db/metric-failure.ts'
import { saveObserved } from '#db/reconciliation.ts'
import { seal, type InstallationKey } from '#db/sealing.ts'
import { keepSecrets } from '#db/secret.ts'
import { parseApplication } from '#docker/compose/application.ts'
import { encodeId } from '#domain/identifier.ts'
import { activate, build, sell } from './story.ts'

/** Eight by eight pixels of one colour. */
export const icon =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mPgj8/GihiGlgQAHAM2QddwnEIAAAAASUVORK5CYII='

const compose = `
services:
  web:
    image: shop.test/web:1
    environment: { GREETING: "\${GREETING:-hello}", ADMIN_PASSWORD: "\${ADMIN_PASSWORD}" }
    expose: ["8080"]
    mem_limit: 128m
    volumes: ["data:/data"]
  worker: { image: "shop.test/worker:1" }
volumes: { data: {} }
x-clouder:
  title: Shop
  icon: ${icon}
  public: { service: web, port: 8080 }
  secrets: [{ name: ADMIN_PASSWORD }]
  metrics:
    - { code: network, title: Network traffic, unit: GiB, kind: counter, aggregation: sum, source: { type: engine-network } }
    - { code: visits, title: Visits, unit: visit, kind: counter, aggregation: sum, source: { type: command, service: web, command: [/bin/visits] } }
  actions:
    - { code: clear_cache, title: Clear the cache, right: customer, service: web, command: [/bin/clear] }
    - code: set_password
      title: Set a password
      right: staff
      service: web
      command: [/bin/password, "{user}"]
      confirmation: Whoever is logged in is logged out.
      fields:
        - { code: user, title: User, required: true }
        - { code: password, title: New password, kind: secret, required: true }
  login: { right: customer, service: web, command: [/bin/login] }
`

export interface Shop {
  readonly id: string
  readonly subscriptionId: string
  readonly path: string
}

/** A shop of two services that runs, with a secret, actions, metrics and a kept backup: rows only. */
export async function tellShop(db: Db, key: InstallationKey): Promise<Shop> {
  await saveApplication(db, { compose, definition: parseApplication({ code: 'static-site', text: compose }) })
  const sold = await sell(db, { product: 'static-site' })
  await build(db, sold, 'done')
  await activate(db, sold, new Date().toISOString())
  const { id, server_id: serverId } = await db
    .selectFrom('instances')
    .select(['id', 'server_id'])
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  await keepSecrets(db, id, [seal(key, id, 'ADMIN_PASSWORD', 'correct horse')])
  await tellSeen(db, id)
  await tellBackup(db, { id, serverId })
  return { id, subscriptionId: sold.publicId, path: `/instances/${encodeId('instance', id)}` }
}

async function tellSeen(db: Db, instanceId: string): Promise<void> {
  const now = new Date().toISOString()
  const container = { health: 'none', exitCode: null, restartCount: 0, startedAt: now } as const
  const containers = [
    { ...container, service: 'web', name: 'acme_shop_web', state: 'running' as const },
    {
      ...container,
      service: 'worker',
      name: 'acme_shop_worker',
      state: 'exited' as const,
      exitCode: 137,
      restartCount: 3,
    },
  ]
  await saveObserved(db, new Map([[instanceId, { state: 'degraded', differences: [], containers }]]), now)
  const { name, subscription_id: subscriptionId } = await db
    .selectFrom('instances')
    .select(['name', 'subscription_id'])
    .where('id', '=', instanceId)
    .executeTakeFirstOrThrow()
  const failures = [{ metric: 'visits', detail: '/bin/visits ended with 1' }]
  await noteMetricLook(db, { instanceId, instanceName: name, subscriptionId, failures, now })
}

async function tellBackup(db: Db, { id, serverId }: { id: string; serverId: string }): Promise<void> {
  const backup = newId()
  const now = new Date().toISOString()
  const restore = await db
    .selectFrom('build_orders')
    .innerJoin('instances', 'instances.subscription_id', 'build_orders.subscription_id')
    .select('build_orders.id')
    .where('instances.id', '=', id)
    .executeTakeFirstOrThrow()
  await db
    .insertInto('backups')
    .values({ id: backup, instance_id: id, server_id: serverId, build_order_id: restore.id })
    .execute()
  await recordCopy(
    db,
    backup,
    { volume: 'data', location: `${backup}/data`, bytes: 20_971_520, sha256: '0'.repeat(64) },
    now,
  )
  await recordVerified(db, backup, 'data', now)
  await keepBackup(db, backup, now)
}
