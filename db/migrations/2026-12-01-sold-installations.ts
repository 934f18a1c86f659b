import { sql, type Kysely } from 'kysely'

/** Peers that are installations which were built here, and why the trust with a peer ended. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table peers
  add column instance_id uuid references instances,
  add column closed_reason text,
  -- What is built here is billed by us.
  add constraint built_for_a_customer check (instance_id is null or role = 'customer'),
  add constraint closed_for_a_reason check (closed_reason is null or state = 'closed');
create unique index one_peer_per_instance on peers (instance_id) where state <> 'closed';
`,
    )
    .execute(db)
}
