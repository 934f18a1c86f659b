import { randomInt } from 'node:crypto'
import { newId } from '#db/identifier.ts'
import type { Db } from '#db/database.ts'

export interface Installation {
  readonly installationId: string
  readonly serverId: string
  readonly samplingIntervalMs: number
}

const portsPerInstallation = 1_000

/**
 * The installation's own row and its first server, made once. Two processes that start at once find the same. The port
 * range is drawn at random, so that two installations on one machine rarely meet.
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
      sampling_interval_seconds: 30,
      demo_seeded_at: null,
    })
    .onConflict((conflict) => conflict.column('is_only').doNothing())
    .execute()
  const firstPort = 20_000 + randomInt(10) * portsPerInstallation
  await db
    .insertInto('servers')
    .values({
      id: newId(),
      code: 'local',
      runner,
      port_range: `[${firstPort},${firstPort + portsPerInstallation})`,
      last_seen_at: null,
    })
    .onConflict((conflict) => conflict.column('code').doUpdateSet({ runner }))
    .execute()
  const installation = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  const server = await db
    .selectFrom('servers')
    .select('id')
    .where('code', '=', 'local')
    .executeTakeFirstOrThrow()
  return {
    installationId: installation.id,
    serverId: server.id,
    samplingIntervalMs: installation.sampling_interval_seconds * 1_000,
  }
}
