import { sql } from 'kysely'
import {
  checkEnvironmentNames,
  takenName,
  type EnvironmentNames,
  type NameKind,
} from '#domain/environment.ts'
import { fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import type { OrderContext, OrderRequest } from './order-context.ts'

const nameKinds: readonly NameKind[] = ['name', 'prefix']

/** The environment that an order goes into, and the prefix that begins its names on a server. */
export type OrderEnvironment =
  | { readonly kind: 'default'; readonly prefix: string }
  | { readonly kind: 'existing'; readonly environmentId: string; readonly prefix: string }
  | ({ readonly kind: 'new' } & EnvironmentNames)

/**
 * What an order asks for, found or checked. An existing one stays as it is until the caller's transaction ends.
 * @throws `not_found` for another customer's, `name_invalid`, `name_taken`, `prefix_taken`
 */
export async function readOrderEnvironment(
  db: Db,
  request: Pick<OrderRequest, 'environment' | 'draftId' | 'now'>,
  owner: { customer: { id: string; code: string }; installationId: string },
): Promise<OrderEnvironment> {
  const asked = request.environment ?? null
  if (asked === null)
    return { kind: 'default', prefix: environmentPrefix(owner.customer, owner.installationId) }
  if (asked.kind === 'existing') {
    const row = await db
      .selectFrom('environments')
      .select('prefix')
      .where('id', '=', asked.environmentId)
      .where('customer_id', '=', owner.customer.id)
      .where('released_at', 'is', null)
      .forShare()
      .executeTakeFirst()
    if (!row) throw fieldError('/environment', 'not_found', 'The customer has no such environment.')
    return { ...asked, prefix: row.prefix }
  }
  checkEnvironmentNames(asked)
  refuseOwnNames(asked, owner.installationId)
  await checkNamesAreFree(db, asked, { orderId: request.draftId ?? null, now: request.now })
  return asked
}

/**
 * The installation's last characters keep two installations on one Docker engine apart, the customer's own two customers
 * whose long codes begin alike.
 */
function environmentPrefix(customer: { id: string; code: string }, installationId: string): string {
  const { id, code } = customer
  const name = code.length <= 31 ? code : `${code.slice(0, 22)}-${encodeId('customer', id).slice(-8)}`
  return `${name}${ownEnding(installationId)}`
}

/** What ends so is kept for the environments that come with first orders, so that none of these is ever refused. */
export function refuseOwnNames(
  names: EnvironmentNames,
  installationId: string,
  kinds: readonly NameKind[] = nameKinds,
  at?: string,
): void {
  for (const kind of kinds) {
    if (names[kind].endsWith(ownEnding(installationId))) throw takenName(kind, names[kind], at)
  }
}

function ownEnding(installationId: string): string {
  return `-${encodeId('installation', installationId).slice(-8)}`
}

/** Who takes names, and until when others cannot have them. */
export interface NameTaker {
  readonly orderId: string
  readonly expiresAt: string
  /** The real instant. */
  readonly now: string
}

/**
 * Holds a name and a prefix for an order, in the caller's transaction. Of two that take one of them in the same moment, the
 * second waits at the row until the first has committed.
 * @throws `name_taken`, `prefix_taken`
 */
export async function reserveNames(tx: Tx, names: EnvironmentNames, taker: NameTaker): Promise<void> {
  for (const kind of nameKinds) {
    const { rows } = await sql`
      insert into reserved_names (kind, value, order_id, expires_at)
      values (${kind}, ${names[kind]}, ${taker.orderId}, ${taker.expiresAt})
      on conflict (kind, value) do update set order_id = excluded.order_id, expires_at = excluded.expires_at
      where reserved_names.order_id = excluded.order_id or ${isLapsed(taker.now)}
      returning kind`.execute(tx)
    if (rows.length === 0) throw takenName(kind, names[kind])
  }
  await refuseUsedNames(tx, names)
}

/** A reservation ends by the clock that its order lives by. */
function isLapsed(now: string) {
  return sql<boolean>`reserved_names.expires_at <= coalesce((
    select clock.now_at from orders holder join test_clocks clock on clock.id = holder.test_clock_id
    where holder.id = reserved_names.order_id), ${now}::timestamptz)`
}

/** The names of an order that was cancelled, changed or carried out. */
export async function freeNames(tx: Tx, orderId: string): Promise<void> {
  await tx.deleteFrom('reserved_names').where('order_id', '=', orderId).execute()
}

/** Whether names could be had now; nothing is held. */
async function checkNamesAreFree(
  db: Db,
  names: EnvironmentNames,
  asked: { orderId: string | null; now: string },
): Promise<void> {
  await refuseUsedNames(db, names)
  for (const kind of nameKinds) {
    const { rows } = await sql`
      select from reserved_names where kind = ${kind} and value = ${names[kind]}
        and order_id is distinct from ${asked.orderId} and not ${isLapsed(asked.now)}`.execute(db)
    if (rows.length > 0) throw takenName(kind, names[kind])
  }
}

async function refuseUsedNames(db: Db, names: EnvironmentNames): Promise<void> {
  for (const kind of nameKinds) {
    const used = await db
      .selectFrom('environments')
      .select('id')
      .where(kind, '=', names[kind])
      .where('released_at', 'is', null)
      .executeTakeFirst()
    if (used) throw takenName(kind, names[kind])
  }
}

/** The environment that an order asks for; a new one is made, and its names are no longer only reserved. */
export async function placeInEnvironment(
  tx: Tx,
  context: OrderContext,
  order: { orderId: string; now: string },
): Promise<string> {
  const { environment } = context
  if (environment.kind === 'default') return await ensureDefaultEnvironment(tx, context)
  if (environment.kind === 'existing') return environment.environmentId
  const { name, prefix } = environment
  // It is held for the moment between this look and the commit.
  await reserveNames(tx, { name, prefix }, { ...order, expiresAt: 'infinity' })
  const id = newId()
  await tx
    .insertInto('environments')
    .values({
      id,
      customer_id: context.customer.id,
      name,
      prefix,
      is_default: false,
      order_id: order.orderId,
      released_at: null,
    })
    .execute()
  await freeNames(tx, order.orderId)
  return id
}

/** The customer's default environment, made with the first order. Two first orders at once make one. */
async function ensureDefaultEnvironment(tx: Tx, context: OrderContext): Promise<string> {
  const { prefix } = context.environment
  await tx
    .insertInto('environments')
    .values({
      id: newId(),
      customer_id: context.customer.id,
      name: prefix,
      prefix,
      order_id: null,
      released_at: null,
    })
    // No index is named: of two at once, any of the unique keys may be the one that they meet at.
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await tx
    .selectFrom('environments')
    .select('id')
    .where('customer_id', '=', context.customer.id)
    .where('is_default', '=', true)
    .executeTakeFirstOrThrow()
  return row.id
}

/**
 * Frees the names of an environment whose order came to nothing: of what was ordered into it nothing was ever active, and
 * all has ended, with nothing left on a server. One that was used keeps its names for ever.
 */
export async function releaseEnvironment(tx: Tx, environmentId: string, now: string): Promise<void> {
  // Whoever orders into it meanwhile holds its row, and is seen when that is free.
  await tx.selectFrom('environments').select('id').where('id', '=', environmentId).forUpdate().execute()
  await sql`
    update environments set released_at = ${now}
    where id = ${environmentId} and not is_default and released_at is null and not exists (
      select from subscriptions where environment_id = ${environmentId}
        and (phase <> 'ended' or activated_at is not null))`.execute(tx)
}
