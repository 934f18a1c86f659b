import { sql } from 'kysely'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import {
  decideLinks,
  orderByLinks,
  type DecidedLink,
  type OfferingInstance,
  type WantingInstance,
} from '#domain/link.ts'
import { buildSequence, type PlannedSubscription } from '#domain/order.ts'
import { partSequence, topmost, type BuiltParts } from '#domain/part.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { listOffering } from './offering.ts'
import type { Applications } from './order-application.ts'
import type { OrderRequest } from './order-context.ts'

/** An instance that an order would make, until it has an id. */
export interface OrderedInstance {
  readonly subscriptionIndex: number
  readonly applicationId: string
}

/** What is decided of the links of an order, whose instances have provisional ids. */
export interface OrderLinks {
  /** With their applications in the order in which they are built: what wants after what offers. */
  readonly planned: readonly PlannedSubscription[]
  readonly links: readonly DecidedLink[]
}

export interface OrderedPlace {
  readonly customerId: string
  /** Of the environment that it goes into. */
  readonly prefix: string
}

/**
 * Decides which offers the applications of an order take, among its own and those of instances that there are.
 * @throws `link_missing`, `link_cycle`, and `field_invalid` for a target of which no application wants anything
 */
export async function planOrderLinks(
  db: Db,
  request: Pick<OrderRequest, 'lines'>,
  { planned, applications }: { planned: readonly PlannedSubscription[]; applications: Applications },
  place: OrderedPlace,
): Promise<OrderLinks> {
  const ordered = planned.flatMap((subscription, index) =>
    subscription.applicationIds.flatMap((applicationId) => {
      const application = applications.get(applicationId)
      if (application === undefined) return []
      const { code, definition } = application
      return {
        instance: provisionalId({ subscriptionIndex: index, applicationId }),
        subscription: String(index),
        environment: place.prefix,
        server: null,
        name: code,
        wants: definition.wants ?? [],
        offers: definition.offers ?? [],
        named: namedOf(request, subscription),
        preferredFor: [],
      }
    }),
  )
  refuseUnwanted(request, planned, ordered)
  const kinds = new Set(ordered.flatMap(({ wants }) => wants.map(({ kind }) => kind)))
  if (kinds.size === 0) return { planned, links: [] }
  const there = await listOffering(db, {
    ...place,
    serverId: null,
    kinds: [...kinds],
    named: ordered.flatMap(targetsOf),
  })
  const links = decideLinks(ordered, [...there, ...ordered])
  return { planned: inLinkOrder(planned, ordered, links), links }
}

export function provisionalId({ subscriptionIndex, applicationId }: OrderedInstance): string {
  return `${subscriptionIndex}/${applicationId}`
}

function namedOf(
  { lines }: Pick<OrderRequest, 'lines'>,
  { orderLineIndex }: PlannedSubscription,
): Readonly<Record<string, string>> {
  return lines[orderLineIndex]?.answers?.links ?? {}
}

function targetsOf({ named }: WantingInstance): string[] {
  return Object.values(named).map((target) => decodeId('instance', target))
}

/** A target under a name that nothing wants would go unseen. */
function refuseUnwanted(
  { lines }: Pick<OrderRequest, 'lines'>,
  planned: readonly PlannedSubscription[],
  ordered: readonly WantingInstance[],
): void {
  for (const [index, { answers }] of lines.entries()) {
    const wanted = ordered
      .filter(({ subscription }) => planned[Number(subscription)]?.orderLineIndex === index)
      .flatMap(({ wants }) => wants.map(({ name }) => name))
    const stray = Object.keys(answers?.links ?? {}).find((name) => !wanted.includes(name))
    if (stray === undefined) continue
    const detail = `Nothing that is built wants ${stray}. What is wanted: ${wanted.join(', ') || 'nothing'}.`
    throw fieldError(`/lines/${index}/links/${stray}`, 'field_invalid', detail)
  }
}

function inLinkOrder(
  planned: readonly PlannedSubscription[],
  ordered: readonly (WantingInstance & OfferingInstance)[],
  links: readonly DecidedLink[],
): PlannedSubscription[] {
  // Of all at once: a circle may lead through two subscriptions, of which each would wait for the other.
  const inOrder = orderByLinks(ordered, links)
  return planned.map((subscription, index) => ({
    ...subscription,
    applicationIds: inOrder
      .filter((instance) => instance.subscription === String(index))
      .map(({ instance }) => instance.slice(instance.indexOf('/') + 1)),
  }))
}

/**
 * When each application of a subscription is built: as its lines say, and none before what it needs. Of one place, links alone
 * say what waits for what.
 */
export function linkedSequence(
  { lines, applicationIds, parts = noParts }: PlannedSubscription,
  subscriptionIndex: number,
  links: readonly DecidedLink[],
): ReadonlyMap<string, number> {
  const roots = new Map(buildSequence(lines))
  const at = (id: string): number => partSequence(parts, roots, id)
  // Raising one may raise what wants it: so often, and no more, as there are applications.
  for (let round = 0; round < (parts.parents.size === 0 ? 1 : applicationIds.length); round += 1) {
    for (const id of applicationIds) {
      const places = neededBy(id, { applicationIds, subscriptionIndex, links }).map((needed) =>
        placeOf(needed, { id, at, parts }),
      )
      const root = topmost(parts, id)
      roots.set(root, (roots.get(root) ?? 0) + Math.max(0, ...places.map((place) => place - at(id))))
    }
  }
  return new Map(applicationIds.map((id) => [id, at(id)]))
}

const noParts = { parents: new Map(), turns: new Map() } as const

/** The other applications of the subscription whose offers one cannot be built without. */
function neededBy(
  applicationId: string,
  of: {
    readonly applicationIds: readonly string[]
    readonly subscriptionIndex: number
    readonly links: readonly DecidedLink[]
  },
): string[] {
  const { applicationIds, subscriptionIndex, links } = of
  const own = provisionalId({ subscriptionIndex, applicationId })
  return links
    .filter(({ instance, want }) => instance === own && want.isRequired)
    .flatMap(({ chosen }) =>
      applicationIds.filter(
        (id) => provisionalId({ subscriptionIndex, applicationId: id }) === chosen?.offering.instance,
      ),
    )
}

/** @throws `link_cycle` where a part needs what is built after it, of one and the same application */
function placeOf(
  needed: string,
  { id, at, parts }: { id: string; at: (id: string) => number; parts: Omit<BuiltParts, 'ids'> },
): number {
  if (at(needed) > at(id) && topmost(parts, needed) === topmost(parts, id))
    throw new BusinessError('link_cycle', 'A part of an application needs what is built after it.')
  return at(needed)
}

/** The server that one of the applications has to go to, because what it is linked to is there. */
export function boundByLinks(
  links: readonly DecidedLink[],
  group: { readonly subscriptionIndex: number; readonly applicationIds: readonly string[] },
): { readonly serverId: string; readonly because: string } | null {
  const own = new Set(group.applicationIds.map((applicationId) => provisionalId({ ...group, applicationId })))
  for (const { instance, want, chosen } of links) {
    const serverId = chosen?.offering.server ?? null
    if (chosen === null || serverId === null || !own.has(instance) || !isTaken(want, chosen)) continue
    return { serverId, because: `the ${want.kind} that it needs, ${chosen.offering.name}, is not there` }
  }
  return null
}

/** What is not required is made once it runs, and looked for then; unless it was named. */
function isTaken(want: DecidedLink['want'], chosen: NonNullable<DecidedLink['chosen']>): boolean {
  return want.isRequired || chosen.reason === 'named'
}

/**
 * Refuses links between servers: containers reach each other on one engine.
 * @param serverOf by provisional id
 * @throws `link_missing`
 */
export function refuseApart(
  links: readonly DecidedLink[],
  serverOf: (instance: string) => string | undefined,
): void {
  for (const { instance, want, chosen } of links) {
    if (chosen === null || !isTaken(want, chosen)) continue
    const { offering } = chosen
    if ((offering.server ?? serverOf(offering.instance)) === serverOf(instance)) continue
    const detail = `The ${want.kind} of ${offering.name} would be on another server than what needs it: name one that is nearer.`
    throw new BusinessError('link_missing', detail)
  }
}

/** Writes the links of an order, once its instances have ids. */
export async function insertOrderLinks(
  tx: Tx,
  links: readonly DecidedLink[],
  instances: ReadonlyMap<string, string>,
): Promise<void> {
  const idOf = (instance: string): string => instances.get(instance) ?? decodeId('instance', instance)
  if (links.length === 0) return
  await tx
    .insertInto('links')
    .values(
      links.map(({ instance, want, chosen }) => {
        const taken = chosen !== null && isTaken(want, chosen) ? chosen : null
        return {
          id: newId(),
          wanting_instance_id: idOf(instance),
          name: want.name,
          kind: want.kind,
          is_required: want.isRequired,
          offering_instance_id: taken === null ? null : idOf(taken.offering.instance),
          reason: taken?.reason ?? null,
          state: taken === null ? ('waiting' as const) : ('planned' as const),
        }
      }),
    )
    .execute()
  await lockOffering(tx, links)
}

/** Whoever cancels an offering subscription meanwhile waits, and then sees who needs it; who did so before is seen here. */
async function lockOffering(tx: Tx, links: readonly DecidedLink[]): Promise<void> {
  const ids = links.flatMap(({ chosen }) =>
    chosen?.offering.instance.startsWith('inst_') === true
      ? decodeId('instance', chosen.offering.instance)
      : [],
  )
  if (ids.length === 0) return
  const { rows } = await sql<{ cancel_requested_at: string | null }>`
    select cancel_requested_at from subscriptions where id in (
      select subscription_id from instances where id = any(${ids}::uuid[])) order by id for share`.execute(tx)
  if (rows.some(({ cancel_requested_at: at }) => at !== null))
    throw new BusinessError('link_missing', 'What it would be linked to was cancelled just now. Order again.')
}
