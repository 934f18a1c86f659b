import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { newId } from '#db/identifier.ts'
import type { Db } from '#db/database.ts'
import { listRoutes } from '#docker/held-ranges.ts'
import { firstServerPort, lastServerPort, portsPerServer } from '#domain/server.ts'
import { overlaps } from '#domain/subnet.ts'

export interface Installation {
  readonly installationId: string
  readonly serverId: string
  readonly samplingIntervalMs: number
}

const blocks = Math.floor((lastServerPort + 1 - firstServerPort) / portsPerServer)
const pools = 60
const portsProbed = 5

/**
 * The installation's own row and its first server, made once. Two processes that start at once find the same. Ports and
 * addresses are drawn at random among those that are free, so that installations on one machine rarely meet.
 */
export async function ensureInstallation(db: Db, runner: 'docker' | 'dry-run'): Promise<Installation> {
  await db
    .insertInto('installation')
    .values({
      id: newId(),
      seller: JSON.stringify({
        name: 'Clouder Demo Hosting',
        address: '1 Harbour Street, 1000 Demo City',
        taxId: null,
      }),
      currency: 'USD',
      time_zone: 'UTC',
      demo_seeded_at: null,
    })
    .onConflict((conflict) => conflict.column('is_only').doNothing())
    .execute()
  const installation = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  return {
    installationId: installation.id,
    serverId: await ensureLocalServer(db, runner),
    samplingIntervalMs: installation.sampling_interval_seconds * 1_000,
  }
}

/** Ports and a pool are looked for only where there is none yet. @returns its id */
async function ensureLocalServer(db: Db, runner: 'docker' | 'dry-run'): Promise<string> {
  const known = await db
    .updateTable('servers')
    .set({ runner })
    .where('code', '=', 'local')
    .returning('id')
    .executeTakeFirst()
  if (known !== undefined) return known.id
  const firstPort = await findFreeBlock()
  const { id } = await db
    .insertInto('servers')
    .values({
      id: newId(),
      code: 'local',
      runner,
      port_range: `[${firstPort},${firstPort + portsPerServer})`,
      subnet_pool: await findFreePool(),
      last_seen_at: null,
    })
    .onConflict((conflict) => conflict.column('code').doUpdateSet({ runner }))
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

async function findFreeBlock(): Promise<number> {
  for (let tried = 0; tried < blocks; tried += 1) {
    const firstPort = firstServerPort + randomInt(blocks) * portsPerServer
    const probed = Array.from({ length: portsProbed }, async (_, index) => await isFree(firstPort + index))
    if ((await Promise.all(probed)).every(Boolean)) return firstPort
  }
  throw new Error(`no block of ports from ${firstServerPort} on is free`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Addresses that this machine has no route to: 10.x where it can be, else what is left of 172.x. */
async function findFreePool(): Promise<string> {
  const routes = await listRoutes()
  const first = randomInt(pools)
  const wanted = Array.from({ length: pools }, (_, index) => `10.${192 + ((first + index) % pools)}.0.0/16`)
  const second = Array.from({ length: 12 }, (_, index) => `172.${31 - index}.0.0/16`)
  const free = [...wanted, ...second].find((pool) => !routes.some(({ range }) => overlaps(range, pool)))
  // Where every one is in use, builds say who has it.
  return free ?? `10.${192 + first}.0.0/16`
}
