import { sql, type Kysely } from 'kysely'

/** How a supplier's document stands over there: paid, credited, written off or void, as the supplier says. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create index peer_messages_by_subject on peer_messages (subject_id, kind);

create table supplier_standings (
  peer_id uuid not null references peers,
  -- The supplier's own id of the document.
  document_id uuid not null,
  state text not null check (state in ('open', 'partly_paid', 'paid', 'credited', 'uncollectible', 'void')),
  paid_minor bigint not null,
  credited_minor bigint not null,
  open_minor bigint not null check (open_minor >= 0),
  -- When it came to stand so, by the supplier's clock.
  stands_since timestamptz not null,
  received_at timestamptz not null,
  primary key (peer_id, document_id)
);
`,
    )
    .execute(db)
}
