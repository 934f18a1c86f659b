import Big from 'big.js'
import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import { addAmounts, noAmounts, takenBy, type Amounts } from '#domain/capacity.ts'
import { BusinessError } from '#domain/errors.ts'
import type { DecidedLink } from '#domain/link.ts'
import type { PlannedSubscription } from '#domain/order.ts'
import {
  fullReasons,
  place,
  refuseUnplaced,
  whyHere,
  withPlaced,
  type Placement,
  type PlacementServer,
} from '#domain/placement.ts'
import { portsOfServer, toCeilings, toReserved, usedCapacity } from './capacity.ts'
import type { Db, Tx } from './database.ts'
import { readApplications, type Applications } from './order-application.ts'
import { boundByLinks, refuseApart } from './order-link.ts'
import { subnetPoolText, subnetsOfServer } from './subnet.ts'

/** What of an order decides where its instances go. */
export interface PlacedOrder {
  readonly planned: readonly PlannedSubscription[]
  readonly applications: Applications
  readonly environment: { readonly prefix: string }
  /** By line of the order. */
  readonly preferredServerIds: readonly (string | null)[]
  /** Kept on one server only: the backup that an application begins with. */
  readonly restored: { readonly applicationId: string; readonly serverId: string } | null
  /** It runs there already. Left out: nothing does. */
  readonly takenOver?: { readonly applicationId: string; readonly serverId: string } | null
  readonly links: readonly DecidedLink[]
}

/** A placement with the place of its subscription in the order, and the applications that it is about. */
export interface OrderPlacement extends Placement {
  readonly subscriptionIndex: number
  readonly orderLineIndex: number
  readonly applicationIds: readonly string[]
}

/**
 * Where the instances of an order would go, each after those before it. Those of one subscription go together, as far as
 * their applications ask for the same tags: they may need each other, and reach each other on one server only.
 */
export async function planPlacements(db: Db, order: PlacedOrder): Promise<OrderPlacement[]> {
  if (order.planned.every(({ applicationIds }) => applicationIds.length === 0)) return []
  let servers = await readPlacementServers(db, order.environment.prefix)
  return order.planned.flatMap((subscription, subscriptionIndex) =>
    groupByTags(subscription, order.applications).map((group) => {
      const placement = place(
        {
          applications: group.map(({ code }) => code),
          tags: tagsOf(group[0]?.definition),
          takes: group.reduce((sum, { takes }) => addAmounts(sum, takes), noAmounts),
          preferredServerId: order.preferredServerIds[subscription.orderLineIndex] ?? null,
          bound:
            boundOf(group, order.restored, servers, 'the backup that it begins with is kept on') ??
            boundOf(group, order.takenOver ?? null, servers, 'it runs already on') ??
            boundByLinks(order.links, { subscriptionIndex, applicationIds: group.map(({ id }) => id) }),
        },
        servers,
      )
      servers = withPlaced(servers, placement)
      const { orderLineIndex } = subscription
      return { ...placement, subscriptionIndex, orderLineIndex, applicationIds: group.map(({ id }) => id) }
    }),
  )
}

/** The server of each application of a subscription, with what it takes there. */
export type ServersOfApplications = ReadonlyMap<string, PlacedApplication>

interface PlacedApplication {
  readonly serverId: string
  readonly takes: Amounts
  /** Why there, in words. */
  readonly because: string
}

/**
 * Places the instances of an order that is being confirmed. The servers' rows stay locked to the end of the transaction, so
 * that of two orders for the last place one gets it.
 * @returns by the subscription's place in the order
 * @throws `no_server_for_application` with the reason of every server, `link_missing` for what would be linked over two servers
 */
export async function placeOrder(tx: Tx, order: PlacedOrder): Promise<ServersOfApplications[]> {
  if (order.planned.some(({ applicationIds }) => applicationIds.length > 0)) await lockServers(tx)
  const placements = await planPlacements(tx, order)
  const servers = order.planned.map(() => new Map<string, PlacedApplication>())
  for (const placement of placements) {
    const { serverId } = placement
    if (serverId === null) throw refuseUnplaced(placement, `/lines/${placement.orderLineIndex}`)
    for (const id of placement.applicationIds) {
      const application = order.applications.get(id)
      if (application === undefined) continue
      const takes = takenBy(application.definition)
      servers[placement.subscriptionIndex]?.set(id, { serverId, takes, because: whyHere(placement) })
    }
  }
  refuseApart(order.links, (instance) => {
    const [index, applicationId] = instance.split('/')
    return servers[Number(index)]?.get(applicationId ?? '')?.serverId
  })
  return servers
}

/** In one order, so that two orders never wait for each other. A server that is only read of is not held up. */
async function lockServers(tx: Tx): Promise<void> {
  await tx.selectFrom('servers').select('id').orderBy('id').forNoKeyUpdate().execute()
}

/** Every server that is not removed, as it stands; people run no applications. */
async function readPlacementServers(db: Db, environmentPrefix: string | null): Promise<PlacementServer[]> {
  const rows = await db
    .selectFrom('servers as server')
    .innerJoinLateral(usedCapacity(environmentPrefix).as('used'), (join) => join.onTrue())
    .selectAll('server')
    .selectAll('used')
    .select([
      portsOfServer.as('port_count'),
      subnetsOfServer.as('subnet_count'),
      subnetPoolText.as('pool_text'),
      sql<string | null>`lower(server.port_range) || ' to ' || (upper(server.port_range) - 1)`.as(
        'port_text',
      ),
    ])
    .where('server.removed_at', 'is', null)
    .where('server.resource_kind', '=', 'infrastructure')
    .orderBy('server.code')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    code: row.code,
    tags: row.tags,
    total: toCeilings(row),
    efficiency: row.efficiency,
    reserved: toReserved(row),
    drainingSince: row.draining_since,
    unreachableSince: row.unreachable_since,
    isExpected: row.connection !== 'local' && row.last_seen_at === null,
    neighbours: row.neighbours,
    hasNetwork: row.has_network,
    portRange: row.port_text,
    subnetPool: row.pool_text,
  }))
}

/**
 * Where an instance of the newest version of an application would go now; nothing is reserved.
 * @throws `application_unknown` where it has no version yet
 */
export async function placeApplication(
  db: Db,
  asked: { applicationId: string; environmentId: string | null; preferredServerId: string | null },
): Promise<Placement> {
  // What it brings along goes with it.
  const applications = await readApplications(db, [asked.applicationId])
  const application = applications.get(asked.applicationId)
  if (application === undefined)
    throw new BusinessError('application_unknown', 'The application has no version yet.')
  const environment = await db
    .selectFrom('environments')
    .select('prefix')
    .where('id', '=', asked.environmentId)
    .executeTakeFirst()
  const { code, definition } = application
  return place(
    {
      applications: [code],
      tags: tagsOf(definition),
      takes: [...applications.values()].reduce(
        (sum, brought) => addAmounts(sum, takenBy(brought.definition)),
        noAmounts,
      ),
      preferredServerId: asked.preferredServerId,
      bound: null,
    },
    await readPlacementServers(db, environment?.prefix ?? null),
  )
}

/**
 * Reserves again what an undone build had, on the server that its instances were ordered for, before it is tried again.
 * What is reserved already stays so.
 * @throws `no_server_for_application`
 */
export async function reserveAgain(tx: Tx, subscriptionId: string): Promise<void> {
  const released = tx
    .selectFrom('reservations')
    .innerJoin('instances', 'instances.id', 'reservations.instance_id')
    .innerJoin('environments', 'environments.id', 'instances.environment_id')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .innerJoin('applications', 'applications.id', 'version.application_id')
    .select(['instances.id', 'instances.server_id', 'version.definition', 'environments.prefix'])
    .select(['applications.code', 'instances.container_limits'])
    .where('instances.subscription_id', '=', subscriptionId)
    .where('instances.destroyed_at', 'is', null)
    .where('reservations.released_at', 'is not', null)
    .orderBy('instances.sequence')
  if ((await released.execute()).length === 0) return
  await lockServers(tx)
  for (const row of await released.execute()) {
    const { id, server_id: serverId, definition, prefix, code } = row
    const servers = await readPlacementServers(tx, prefix)
    const server = servers.find((one) => one.id === serverId)
    const placement = place(
      {
        applications: [code],
        tags: tagsOf(definition),
        // Its port is still its own.
        takes: { ...takenBy(definition, row.container_limits), ports: '0' },
        preferredServerId: null,
        bound: { serverId, because: `it was ordered for ${server?.code ?? 'a server that is gone'}` },
      },
      servers,
    )
    if (placement.serverId === null) throw refuseUnplaced(placement, null)
    await tx.updateTable('reservations').set({ released_at: null }).where('instance_id', '=', id).execute()
  }
}

/**
 * Has what is reserved for an instance follow its containers' limits, which were changed before in the transaction. More than its
 * server has free is refused, less is freed; what reserves nothing now goes on so.
 * @throws `no_server_for_application`
 */
export async function reserveChanged(tx: Tx, instanceId: string): Promise<void> {
  const row = await tx
    .selectFrom('reservations')
    .innerJoin('instances', 'instances.id', 'reservations.instance_id')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['reservations.server_id', 'memory_mib', 'cpus', 'disk_mib', 'definition', 'container_limits'])
    .where('instance_id', '=', instanceId)
    .where('released_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return
  const takes = takenBy(row.definition, row.container_limits)
  const more = {
    ...noAmounts,
    memoryMib: new Big(takes.memoryMib).minus(row.memory_mib).toFixed(),
    cpus: new Big(takes.cpus).minus(row.cpus).toFixed(),
    diskMib: new Big(takes.diskMib).minus(row.disk_mib).toFixed(),
  }
  if (Object.values(more).every((amount) => new Big(amount).eq(0))) return
  await lockServers(tx)
  const server = (await readPlacementServers(tx, null)).find(({ id }) => id === row.server_id)
  const lacking = server === undefined ? [] : fullReasons(more, server)
  if (lacking.length > 0) {
    const said = lacking.map(({ detail }) => detail).join('; ')
    throw new BusinessError(
      'no_server_for_application',
      `Server ${server?.code} has not so much left: ${said}.`,
    )
  }
  const columns = { memory_mib: Number(takes.memoryMib), cpus: takes.cpus, disk_mib: Number(takes.diskMib) }
  await tx.updateTable('reservations').set(columns).where('instance_id', '=', instanceId).execute()
}

interface GroupedApplication {
  readonly id: string
  readonly code: string
  readonly definition: ApplicationDefinition
  readonly takes: Amounts
}

function groupByTags(
  { applicationIds }: PlannedSubscription,
  applications: Applications,
): GroupedApplication[][] {
  const all = applicationIds.flatMap((id) => {
    const application = applications.get(id)
    if (application === undefined) return []
    const { code, definition } = application
    return [{ id, code, definition, takes: takenBy(definition) }]
  })
  return [...Map.groupBy(all, ({ definition }) => tagsOf(definition).join(' ')).values()]
}

function tagsOf(definition: ApplicationDefinition | undefined): readonly string[] {
  return [...(definition?.tags ?? [])].toSorted()
}

function boundOf(
  group: readonly GroupedApplication[],
  restored: PlacedOrder['restored'],
  servers: readonly PlacementServer[],
  why: string,
) {
  if (restored === null || !group.some(({ id }) => id === restored.applicationId)) return null
  const code = servers.find(({ id }) => id === restored.serverId)?.code ?? 'a server that is gone'
  return { serverId: restored.serverId, because: `${why} ${code}` }
}
