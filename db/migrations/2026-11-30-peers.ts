import { sql, type Kysely } from 'kysely'

/** Other installations: who bills whom, by which keys their messages are known, what waits for them, what came from them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table peers (
  id uuid primary key,
  -- What the other one is to us: it bills us, or we bill it.
  role text not null check (role in ('supplier', 'customer')),
  customer_id uuid references customers,
  currency text check (currency ~ '^[A-Z]{3}$'),
  installation_id uuid,
  -- By which the other side knows this one.
  other_peer_id uuid unique,
  name text,
  url text,
  state text not null check (state in ('invited', 'accepting', 'active', 'halted', 'closed')),
  halted_reason text,
  invitation_sha256 bytea unique check (length(invitation_sha256) = 32),
  invitation_expires_at timestamptz,
  invitation_used_at timestamptz,
  -- Of the accepting side, until it is paired.
  code_key_id text,
  code_sealed bytea,
  last_sequence bigint not null default 0 check (last_sequence >= 0),
  -- Its workflow was told that something waits, and has not found the end of it yet.
  is_awake boolean not null default false,
  created_at timestamptz not null,
  created_by text not null,
  paired_at timestamptz,
  closed_at timestamptz,
  constraint customer_of_a_customer check (role = 'customer' or customer_id is null),
  constraint paired_with_somebody check (
    (paired_at is null) = (installation_id is null) and (paired_at is null or (other_peer_id is not null and name is not null and url is not null and currency is not null))
  ),
  constraint active_once_paired check (state not in ('active', 'halted') or paired_at is not null),
  constraint halted_for_a_reason check ((state = 'halted') = (halted_reason is not null)),
  constraint code_sealed_whole check ((code_sealed is null) = (code_key_id is null)),
  constraint closed_at_the_end check ((state = 'closed') = (closed_at is not null))
);
create unique index one_peer_per_customer on peers (customer_id) where state <> 'closed';
create unique index one_peer_per_installation on peers (installation_id, role) where state <> 'closed';

create table peer_keys (
  -- Of the public key: SHA-256, base64url.
  id text primary key,
  peer_id uuid not null references peers,
  is_own boolean not null,
  public_key bytea not null check (length(public_key) = 32),
  key_id text,
  sealed bytea,
  made_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint own_key_sealed check (is_own = (sealed is not null) and (sealed is null) = (key_id is null))
);
create index peer_keys_by_peer on peer_keys (peer_id);

create table peer_nonces (
  peer_id uuid not null references peers,
  nonce text not null check (length(nonce) between 16 and 100),
  seen_at timestamptz not null,
  primary key (peer_id, nonce)
);
create index peer_nonces_by_age on peer_nonces (seen_at);

-- What is to be sent, written with the document's number.
create table peer_documents (
  peer_id uuid not null references peers,
  sequence bigint not null check (sequence >= 1),
  invoice_id uuid not null references invoices,
  sha256 bytea check (length(sha256) = 32),
  queued_at timestamptz not null default now(),
  delivered_at timestamptz,
  primary key (peer_id, sequence),
  constraint sent_once unique (peer_id, invoice_id),
  constraint delivered_as_sent check (delivered_at is null or sha256 is not null)
);
create index peer_documents_waiting on peer_documents (peer_id, sequence) where delivered_at is null;

create function guard_peer_document() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.delivered_at is not null
    or (new.peer_id, new.sequence, new.invoice_id) is distinct from (old.peer_id, old.sequence, old.invoice_id)
    or (old.sha256 is not null and new.sha256 is distinct from old.sha256) then
    raise exception 'what a peer is sent stays what it is' using errcode = 'check_violation', constraint = 'peer_document_kept';
  end if;
  return new;
end $$;
create trigger peer_document_kept before update or delete on peer_documents
  for each row execute function guard_peer_document();

create table supplier_invoices (
  id uuid primary key,
  peer_id uuid not null references peers,
  -- The supplier's own id of it: with the peer, its key.
  document_id uuid not null,
  sha256 bytea not null check (length(sha256) = 32),
  kind text not null check (kind in ('invoice', 'credit_note')),
  number text not null check (length(number) between 1 and 100),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  issued_on date not null,
  due_on date not null check (due_on >= issued_on),
  net_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  corrects_document_id uuid,
  -- All that it says, as it came.
  content jsonb not null,
  -- Why our own sums come to something else; nothing of it is corrected.
  disagreement text,
  received_at timestamptz not null,
  constraint received_once unique (peer_id, document_id),
  constraint credit_note_corrects check (kind = 'credit_note' or corrects_document_id is null)
);
create index supplier_invoices_by_peer on supplier_invoices (peer_id, id desc);
create trigger supplier_invoice_immutable before update or delete on supplier_invoices
  for each row execute function refuse_change();
create trigger supplier_invoice_kept before truncate on supplier_invoices
  for each statement execute function refuse_change();
`,
    )
    .execute(db)
}
