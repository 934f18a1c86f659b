import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { keepPin, listPins } from '#db/instance-image.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let db: Db
let saved: DeployedInstance
let restoredId: string
let reference: string

before(async () => {
  seller = await createSeller()
  db = seller.db
  const subscription = await seller.sell({ kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' })
  const { id, server_id: serverId } = await db
    .selectFrom('instances')
    .select(['id', 'server_id'])
    .executeTakeFirstOrThrow()
  saved = await getDeployedInstance(db, id)
  reference = saved.definition.services[0]?.image.reference ?? ''
  const [order, backup] = [newId(), newId()]
  await sql`insert into build_orders (id, subscription_id, kind, number, state)
    values (${order}, ${subscription}, 'unbuild', 1, 'done')`.execute(db)
  await sql`insert into backups (id, instance_id, server_id, build_order_id)
    values (${backup}, ${id}, ${serverId}, ${order})`.execute(db)
  restoredId = await copyRow(db, 'instances', id, {
    name: 'restored',
    host_port: null,
    restored_from_backup_id: backup,
  })
})
after(async () => seller.drop())

const digestOf = async (instanceId: string) =>
  (await listPins(db, [instanceId])).get(instanceId)?.map(({ repositoryDigest }) => repositoryDigest)

const pin = (letter: string) => ({
  reference,
  repositoryDigest: `sha256:${letter.repeat(64)}`,
  imageId: `sha256:${letter}`,
})

test('an instance that was restored runs the digest of where its data comes from, until it has its own', async () => {
  assert.equal(await digestOf(restoredId), undefined)
  await keepPin(db, saved, pin('a'))
  assert.deepEqual(await digestOf(restoredId), [pin('a').repositoryDigest])
  const restored = await getDeployedInstance(db, restoredId)
  assert.deepEqual(restored.planned.images, [pin('a')])
  await keepPin(db, restored, pin('b'))
  assert.deepEqual(await digestOf(restoredId), [pin('b').repositoryDigest])
  assert.deepEqual(await digestOf(saved.id), [pin('a').repositoryDigest])
})

test('every service that runs an image has a row of its own', async () => {
  const rows = await db
    .selectFrom('instance_images')
    .select('service')
    .where('instance_id', '=', saved.id)
    .execute()
  const services = saved.definition.services.filter(({ image }) => image.reference === reference)
  assert.deepEqual(
    rows.map(({ service }) => service).toSorted((first, second) => first.localeCompare(second)),
    services.map(({ name }) => name).toSorted((first, second) => first.localeCompare(second)),
  )
})
