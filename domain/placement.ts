import {
  addAmounts,
  freeOf,
  lackingFor,
  offeredBy,
  sayAmount,
  scarcestShare,
  type Amounts,
  type CapacityResource,
  type Ceilings,
} from './capacity.ts'
import { BusinessError } from './errors.ts'

/** A server as placement sees it. */
export interface PlacementServer {
  readonly id: string
  readonly code: string
  readonly tags: readonly string[]
  readonly total: Ceilings
  readonly efficiency: string
  readonly reserved: Amounts
  /** Instants; null: it is not. */
  readonly drainingSince: string | null
  readonly unreachableSince: string | null
  /** It was added, and nobody has seen it yet. */
  readonly isExpected: boolean
  /** So many instances of the environment are there. */
  readonly neighbours: number
  /** The environment has its network there already. */
  readonly hasNetwork: boolean
  /** What its ports and subnets are of, for people; null: it has none. */
  readonly portRange: string | null
  readonly subnetPool: string | null
}

/** Instances that are placed together: those of one subscription whose applications ask for the same tags. */
export interface PlacementRequest {
  /** Codes of their applications. */
  readonly applications: readonly string[]
  readonly tags: readonly string[]
  /** What they take together, without the environment's subnet. */
  readonly takes: Amounts
  /** Where they should be, if they can be there. */
  readonly preferredServerId: string | null
  /** Where they can be only, and why. */
  readonly bound: { readonly serverId: string; readonly because: string } | null
}

/** Why not, and why; `fits`: it could take it, and another one comes first. */
export const placementReasons = [
  'bound',
  'draining',
  'unreachable',
  'tags',
  'full',
  'preferred',
  'environment',
  'most_free',
  'fits',
] as const
type PlacementReason = (typeof placementReasons)[number]

/** What is to be said of one server: why here, or why not. */
export interface PlacementFinding {
  readonly serverId: string
  readonly server: string
  readonly fits: boolean
  readonly isChosen: boolean
  /** At least one. */
  readonly reasons: readonly {
    readonly code: PlacementReason
    readonly detail: string
    /** Of what there is not enough. */
    readonly resource?: CapacityResource
  }[]
}

export interface Placement {
  readonly applications: readonly string[]
  readonly takes: Amounts
  /** Null: no server can take them. */
  readonly serverId: string | null
  /** Of every server, by code. */
  readonly servers: readonly PlacementFinding[]
}

/**
 * Chooses the server of instances, and says of every server why it is it or is not. Of those that can take them comes first
 * the preferred one, then the one with the most instances of the environment, then the one whose scarcest resource has the
 * greatest part free afterwards, then the one with the fewest instances, then by code. The same question has the same answer.
 */
export function place(request: PlacementRequest, servers: readonly PlacementServer[]): Placement {
  const sorted = servers.toSorted((first, second) => compareText(first.code, second.code))
  const refusals = new Map(sorted.map((server) => [server.id, refusalsOf(request, server)]))
  const fitting = sorted.filter(({ id }) => refusals.get(id)?.length === 0)
  const [chosen] = fitting.toSorted((first, second) => compareServers(request, first, second))
  return {
    applications: request.applications,
    takes: request.takes,
    serverId: chosen?.id ?? null,
    servers: sorted.map((server) => {
      const refused = refusals.get(server.id) ?? []
      const fits = refused.length === 0
      const isChosen = server === chosen
      const reasons = fits && chosen ? [whyChosen(request, server, chosen)] : refused
      return { serverId: server.id, server: server.code, fits, isChosen, reasons }
    }),
  }
}

/** Why the server that was chosen, in words: `the most is free there: 80 %`. */
export function whyHere({ servers }: Pick<Placement, 'servers'>): string {
  const reasons = servers.find(({ isChosen }) => isChosen)?.reasons ?? []
  return reasons
    .map(({ detail }) => detail)
    .join('; ')
    .slice(0, 500)
}

/** The servers as they are once the instances are there, for what is placed after them. */
export function withPlaced(
  servers: readonly PlacementServer[],
  { serverId, takes }: Pick<Placement, 'serverId' | 'takes'>,
): PlacementServer[] {
  return servers.map((server) =>
    server.id === serverId
      ? {
          ...server,
          reserved: addAmounts(server.reserved, withSubnet(takes, server)),
          neighbours: server.neighbours + Number(takes.instances),
          hasNetwork: true,
        }
      : server,
  )
}

/**
 * The refusal of what no server can take: it lists each of them with its reason.
 * @param pointer of the order line; null where there is none
 */
export function refuseUnplaced(
  { applications, servers }: Pick<Placement, 'applications' | 'servers'>,
  pointer: string | null,
): BusinessError {
  const code = codeOf(servers)
  const what = applications.join(' and ')
  if (servers.length === 0)
    return new BusinessError(code, `No server can take ${what}: none is there yet. Add one first.`)
  const said = servers.map(
    ({ server, reasons }) => `${server}: ${reasons.map(({ detail }) => detail).join('; ')}`,
  )
  const fields = pointer === null ? [] : said.map((detail) => ({ pointer, code, detail }) as const)
  return new BusinessError(code, `No server can take ${what}. ${said.join('. ')}.`, { fields })
}

/** Where all that could take it lack the same one thing, that is said. */
function codeOf(
  servers: readonly PlacementFinding[],
): 'no_server_for_application' | 'ports_exhausted' | 'subnets_exhausted' {
  const full = servers.filter(({ reasons }) => reasons.every(({ code }) => code === 'full'))
  const lacking = new Set(full.flatMap(({ reasons }) => reasons.map(({ resource }) => resource)))
  const [resource, ...others] = lacking
  if (others.length > 0) return 'no_server_for_application'
  if (resource === 'ports') return 'ports_exhausted'
  return resource === 'subnets' ? 'subnets_exhausted' : 'no_server_for_application'
}

/** An environment has one subnet on a server, whatever the number of its instances there. */
function withSubnet(takes: Amounts, { hasNetwork }: Pick<PlacementServer, 'hasNetwork'>): Amounts {
  return hasNetwork ? takes : { ...takes, subnets: '1' }
}

type Reasons = PlacementFinding['reasons']

function refusalsOf(request: PlacementRequest, server: PlacementServer): Reasons {
  const { bound, tags } = request
  const missing = tags.filter((tag) => !server.tags.includes(tag))
  const foreign = server.tags.filter((tag) => !tags.includes(tag))
  return [
    ...(bound && bound.serverId !== server.id ? [{ code: 'bound', detail: bound.because } as const] : []),
    ...(server.drainingSince === null
      ? []
      : [{ code: 'draining', detail: `draining since ${server.drainingSince}` } as const]),
    ...(server.unreachableSince === null
      ? []
      : [{ code: 'unreachable', detail: `unreachable since ${server.unreachableSince}` } as const]),
    ...(server.isExpected
      ? [{ code: 'unreachable', detail: 'never seen: it has not joined yet' } as const]
      : []),
    ...missing.map((tag) => ({ code: 'tags', detail: `not tagged ${tag}, which is asked for` }) as const),
    ...foreign.map(
      (tag) => ({ code: 'tags', detail: `tagged ${tag}: only for what asks for that tag` }) as const,
    ),
    ...fullReasons(withSubnet(request.takes, server), server),
  ]
}

/** What a server has not enough of, in words; empty where it has. */
export function fullReasons(
  needed: Amounts,
  server: Pick<PlacementServer, 'total' | 'efficiency' | 'reserved' | 'portRange' | 'subnetPool'>,
): Reasons {
  const offered = offeredBy(server.total, server.efficiency)
  const free = freeOf(offered, server.reserved)
  return lackingFor(needed, free).map((resource) => ({
    code: 'full',
    resource,
    detail: `${sayAmount(resource, needed[resource])} needed, ${sayAmount(resource, free[resource] ?? '0')} free of ${sayAmount(resource, offered[resource] ?? '0')}${whereOf(resource, server)}`,
  }))
}

function whereOf(
  resource: CapacityResource,
  { portRange, subnetPool }: Pick<PlacementServer, 'portRange' | 'subnetPool'>,
): string {
  if (resource === 'ports' && portRange !== null) return ` in its range ${portRange}`
  return resource === 'subnets' && subnetPool !== null ? ` in its pool ${subnetPool}` : ''
}

function shareAfter({ takes }: PlacementRequest, server: PlacementServer) {
  const offered = offeredBy(server.total, server.efficiency)
  const reserved = addAmounts(server.reserved, withSubnet(takes, server))
  return scarcestShare(offered, freeOf(offered, reserved))
}

/** Below 0 where the first one is better. */
function compareServers(request: PlacementRequest, first: PlacementServer, second: PlacementServer): number {
  const isPreferred = ({ id }: PlacementServer) => Number(id === request.preferredServerId)
  return (
    isPreferred(second) - isPreferred(first) ||
    second.neighbours - first.neighbours ||
    shareAfter(request, second).cmp(shareAfter(request, first)) ||
    Number(first.reserved.instances) - Number(second.reserved.instances) ||
    compareText(first.code, second.code)
  )
}

function whyChosen(
  request: PlacementRequest,
  server: PlacementServer,
  chosen: PlacementServer,
): Reasons[number] {
  const percent = (of: PlacementServer) => `${shareAfter(request, of).times(100).round(1).toFixed()} %`
  if (server !== chosen) {
    const better =
      chosen.id === request.preferredServerId
        ? `${chosen.code} is preferred`
        : chosen.neighbours > server.neighbours
          ? `more of the environment is on ${chosen.code}`
          : `${percent(server)} free afterwards, ${chosen.code} has ${percent(chosen)}`
    return { code: 'fits', detail: `it could take it; ${better}` }
  }
  if (server.id === request.preferredServerId) return { code: 'preferred', detail: 'it is preferred' }
  if (server.neighbours > 0) return { code: 'environment', detail: 'the environment is there already' }
  return { code: 'most_free', detail: `${percent(server)} of its scarcest resource is free afterwards` }
}

function compareText(first: string, second: string): number {
  return first < second ? -1 : Number(first > second)
}
