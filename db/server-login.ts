import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'

/**
 * What no worker of a server needs: who may sign in, what others sent, how engines are reached, and the money. Its login cannot
 * read it; whatever it could do with the rest, it draws no invoice and opens no session.
 */
const hiddenTables = [
  'allocations',
  'api_keys',
  'balance_movements',
  'billing_periods',
  'billing_runs',
  'customer_balances',
  'disputes',
  'idempotency_keys',
  'invoice_files',
  'invoice_lines',
  'invoice_marks',
  'invoice_taxes',
  'invoices',
  'login_links',
  'lost_documents',
  'mail_verifications',
  'number_series',
  'one_off_charges',
  'operators',
  'order_secrets',
  'payment_requests',
  'peer_keys',
  'peer_messages',
  'peer_questions',
  'portal_links',
  'portal_sessions',
  'received_peer_messages',
  'refused_documents',
  'server_join_tokens',
  'server_secrets',
  'sessions',
  'skipped_numbers',
  'supplier_files',
  'supplier_invoices',
  'supplier_standings',
  'tax_answers',
  'tax_id_checks',
] as const

export interface ServerLogin {
  readonly user: string
  readonly password: string
}

/**
 * Gives a server's worker a login of its own, in the place of the one before, which ends at once. It may do with rows what server work
 * does, and nothing with the tables that are hidden from it.
 * @throws `action_not_allowed` where the database does not let us make logins
 */
export async function makeServerLogin(
  tx: Tx,
  of: { installationId: string; serverId: string; password: string },
): Promise<ServerLogin> {
  // Names of a cluster, which may hold several installations.
  const group = `clouder_${encodeId('installation', of.installationId)}`
  const user = loginOf(of.serverId)
  try {
    await makeGroup(tx, group)
    await endServerLogin(tx, of.serverId)
    await sql`create role ${sql.id(user)} login password ${sql.lit(of.password)} in role ${sql.id(group)}`.execute(
      tx,
    )
  } catch (error) {
    if (!isForbidden(error)) throw error
    const detail =
      'The database user of the API may not make logins. Give it CREATEROLE, or a login of your own in CLOUDER_SERVERS_DATABASE_URL.'
    throw new BusinessError('action_not_allowed', detail, { cause: error })
  }
  return { user, password: of.password }
}

/** The rights of all servers' logins: made with the first, and brought up to date with each further one. Tables to come are let in. */
async function makeGroup(tx: Tx, group: string): Promise<void> {
  // Two that join at once would change the same rows of the catalog.
  await sql`select pg_advisory_xact_lock(hashtextextended(${group}, 0))`.execute(tx)
  const known = await sql`select from pg_roles where rolname = ${group}`.execute(tx)
  if (known.rows.length === 0) await sql`create role ${sql.id(group)} nologin`.execute(tx)
  const rights = sql`select, insert, update, delete on tables to ${sql.id(group)}`
  await sql`alter default privileges in schema public grant ${rights}`.execute(tx)
  await sql`grant select, insert, update, delete on all tables in schema public to ${sql.id(group)}`.execute(
    tx,
  )
  const hidden = sql.join(hiddenTables.map((table) => sql.table(table)))
  await sql`revoke all on ${hidden} from ${sql.id(group)}`.execute(tx)
}

/** A worker that has the login still is cut off. Where none was made, nothing is asked of the database. */
export async function endServerLogin(tx: Tx, serverId: string): Promise<void> {
  const user = loginOf(serverId)
  const known = await sql`select from pg_roles where rolname = ${user}`.execute(tx)
  if (known.rows.length === 0) return
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${user}`.execute(tx)
  await sql`drop role ${sql.id(user)}`.execute(tx)
}

function loginOf(serverId: string): string {
  return `clouder_${encodeId('server', serverId)}`
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501'
}
