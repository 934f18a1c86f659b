import { sql, type Kysely } from 'kysely'

/**
 * Documents of ours that a peer has and we have not: this installation was restored from an older backup. Until a person has settled it,
 * no number of their series is given again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table lost_documents (
  id uuid primary key,
  peer_id uuid not null references peers,
  -- Our own id of it, once.
  document_id uuid not null,
  kind text not null check (kind in ('invoice', 'credit_note')),
  number text not null,
  currency text not null,
  issued_on date not null,
  total_minor bigint not null,
  sha256 bytea not null check (length(sha256) = 32),
  -- As the peer has it.
  content jsonb not null,
  -- Of which it took the number; null where no series of ours gives such numbers.
  series text,
  sequence integer check (sequence >= 1),
  found_at timestamptz not null,
  settlement text check (settlement in ('kept', 'dismissed')),
  settled_at timestamptz,
  settled_by text,
  reason text,
  constraint lost_once unique (peer_id, document_id),
  constraint number_of_a_series check ((series is null) = (sequence is null)),
  constraint settled_by_somebody check (
    (settlement is null) = (settled_at is null) and (settlement is null) = (settled_by is null) and (settlement is null) = (reason is null)
  )
);
create index lost_documents_unsettled on lost_documents (series) where settlement is null;
create index lost_documents_by_number on lost_documents (number);

create function guard_lost_document() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.settlement is not null
    or (new.id, new.peer_id, new.document_id, new.kind, new.number, new.currency, new.issued_on, new.total_minor, new.sha256, new.content,
        new.series, new.sequence, new.found_at)
      is distinct from (old.id, old.peer_id, old.document_id, old.kind, old.number, old.currency, old.issued_on, old.total_minor,
        old.sha256, old.content, old.series, old.sequence, old.found_at) then
    raise exception 'what was lost is settled once, and never changes' using errcode = 'check_violation', constraint = 'lost_document_kept';
  end if;
  return new;
end $$;
create trigger lost_document_kept before update or delete on lost_documents
  for each row execute function guard_lost_document();

-- Numbers that were given before a restore, and are not given again.
create table skipped_numbers (
  series text not null references number_series,
  first integer not null check (first >= 1),
  last integer not null,
  reason text not null check (length(reason) > 0),
  skipped_at timestamptz not null,
  skipped_by text not null,
  primary key (series, first),
  constraint skipped_in_order check (last >= first)
);
create trigger skipped_numbers_immutable before update or delete on skipped_numbers
  for each row execute function refuse_change();

create function refuse_lost_number() returns trigger language plpgsql as $$
begin
  if new.number is not null and new.number is distinct from old.number and exists (
    select from lost_documents where number = new.number and settlement is distinct from 'dismissed'
  ) then
    raise exception 'number % was given before, to a document that a peer has', new.number
      using errcode = 'check_violation', constraint = 'number_given_before';
  end if;
  return new;
end $$;
create trigger number_given_before before update of number on invoices
  for each row execute function refuse_lost_number();

alter table peers
  -- The last number of our messages that the other side says it has, found to be more than we know of.
  add column told_sequence bigint check (told_sequence >= 1);

-- A document whose number is that of another one of the supplier, which was refused; resuming the peer means to take it all the same.
create table refused_documents (
  peer_id uuid not null references peers,
  document_id uuid not null,
  sha256 bytea not null check (length(sha256) = 32),
  number text not null,
  refused_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by text,
  primary key (peer_id, document_id, sha256),
  constraint accepted_by_somebody check ((accepted_at is null) = (accepted_by is null))
);

-- What waits may be given a higher number: after a restore the other side knows those that follow already.
create or replace function guard_peer_message() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.delivered_at is not null
    or (new.peer_id, new.kind, new.subject_id, new.content)
      is distinct from (old.peer_id, old.kind, old.subject_id, old.content)
    or new.sequence < old.sequence
    or (new.sequence > old.sequence and new.delivered_at is not null)
    or (old.sha256 is not null and new.sha256 is distinct from old.sha256) then
    raise exception 'what a peer is sent stays what it is' using errcode = 'check_violation', constraint = 'peer_message_kept';
  end if;
  return new;
end $$;
`,
    )
    .execute(db)
}
