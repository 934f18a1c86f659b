import { sql, type Kysely } from 'kysely'

/** One ordered queue of messages to a peer, of whatever kind, in place of that of documents; and what came from it, by its number there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table peers
  -- What the other side has said that it understands.
  add column other_version integer not null default 1 check (other_version >= 1),
  add column other_kinds text[] not null default '{document}',
  -- The last that it has taken of those with numbers: messages of version 1 had none.
  add column sent_sequence bigint not null default 0 check (sent_sequence >= 0);

create table peer_messages (
  peer_id uuid not null references peers,
  sequence bigint not null check (sequence >= 1),
  kind text not null check (kind ~ '^[a-z_]{1,40}$'),
  -- What it is of, by our own id: a document of its invoice.
  subject_id uuid,
  -- What it says; null where that is made of rows that never change.
  content jsonb,
  sha256 bytea check (length(sha256) = 32),
  queued_at timestamptz not null default now(),
  delivered_at timestamptz,
  primary key (peer_id, sequence),
  constraint message_says_something check (subject_id is not null or content is not null),
  constraint delivered_as_sent check (delivered_at is null or sha256 is not null)
);
insert into peer_messages (peer_id, sequence, kind, subject_id, sha256, queued_at, delivered_at)
  select peer_id, sequence, 'document', invoice_id, sha256, queued_at, delivered_at from peer_documents;
drop table peer_documents;
drop function guard_peer_document;
create index peer_messages_waiting on peer_messages (peer_id, sequence) where delivered_at is null;
create unique index sent_once on peer_messages (peer_id, subject_id) where kind = 'document';

create function guard_peer_message() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.delivered_at is not null
    or (new.peer_id, new.sequence, new.kind, new.subject_id, new.content)
      is distinct from (old.peer_id, old.sequence, old.kind, old.subject_id, old.content)
    or (old.sha256 is not null and new.sha256 is distinct from old.sha256) then
    raise exception 'what a peer is sent stays what it is' using errcode = 'check_violation', constraint = 'peer_message_kept';
  end if;
  return new;
end $$;
create trigger peer_message_kept before update or delete on peer_messages
  for each row execute function guard_peer_message();

-- What came, by its number over there: what comes again is known, and another content under a known number is noticed.
create table received_peer_messages (
  peer_id uuid not null references peers,
  sequence bigint not null check (sequence >= 1),
  kind text not null check (kind ~ '^[a-z_]{1,40}$'),
  sha256 bytea not null check (length(sha256) = 32),
  received_at timestamptz not null,
  primary key (peer_id, sequence)
);
create trigger received_peer_message_immutable before update or delete on received_peer_messages
  for each row execute function refuse_change();
`,
    )
    .execute(db)
}
