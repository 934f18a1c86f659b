import { every } from '#activities/server-watch.ts'
import type { Db } from '#db/database.ts'
import { listRemovedServerIds, listServedServers, type ServedServer } from '#db/server.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ServerQueue } from './server-queue.ts'

/** A server that is added is served after this, at the latest. */
const lookIntervalMs = 2_000

export interface FleetOptions {
  readonly db: Db
  /** Serves a server whose engine is reached from here. @returns what serves it */
  readonly serve: (server: ServedServer) => Promise<ServerQueue>
  /** Called once for every server that there is, however it is served. @param serverId `srv_…` */
  readonly onServer: (serverId: string) => Promise<void>
  /** Called once for every server that was removed. @param serverId `srv_…` */
  readonly onRemoved: (serverId: string) => Promise<void>
  readonly onError: (part: string, error: unknown) => void
}

export interface Fleet {
  readonly stop: () => Promise<void>
}

/**
 * Follows the rows: serves each engine behind TLS from when its server is added, anew when its address or certificates change, and
 * has what runs for every server begun. One that cannot be served is tried again and holds up no other.
 */
export function followServers(options: FleetOptions): Fleet {
  const served = new Map<string, { readonly queue: ServerQueue; readonly engineSetAt: string | null }>()
  const greeted = new Set<string>()
  const parted = new Set<string>()

  async function look(): Promise<void> {
    const servers = await listServedServers(options.db)
    for (const server of servers) {
      await follow(server).catch((error: unknown) => options.onError(`server ${server.code}`, error))
    }
    const gone = [...served].filter(([id]) => !servers.some((server) => server.id === id))
    for (const [, { queue }] of gone) await queue.stop()
    for (const id of await listRemovedServerIds(options.db)) {
      if (!parted.has(id)) await options.onRemoved(encodeId('server', id))
      parted.add(id)
    }
  }

  async function follow(server: ServedServer): Promise<void> {
    if (!greeted.has(server.id)) await options.onServer(encodeId('server', server.id))
    greeted.add(server.id)
    if (server.connection !== 'tls') return
    const known = served.get(server.id)
    if (known?.engineSetAt === server.engineSetAt) return
    await known?.queue.stop()
    const queue = await options.serve(server)
    served.set(server.id, { queue, engineSetAt: server.engineSetAt })
    queue.ended.then(
      () => served.delete(server.id),
      (error: unknown) => {
        served.delete(server.id)
        options.onError(`server ${server.code}`, error)
      },
    )
  }

  const onError = (error: unknown): void => options.onError('servers', error)
  const following = every({ intervalMs: lookIntervalMs, onError }, look)
  return {
    async stop() {
      await following.stop()
      await Promise.all([...served.values()].map(async ({ queue }) => queue.stop()))
    },
  }
}
