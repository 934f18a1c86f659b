import { sql, type Kysely } from 'kysely'

/** What a customer that is an installation says against a document of its supplier, and what that answers; the same row on both sides. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(disputes).execute(db)
}

const disputes = `
create table disputes (
  -- Made by who raises it; both sides know it by this.
  id uuid primary key,
  peer_id uuid not null references peers,
  -- Raised here, of what the peer billed us. Null where the peer raised it.
  supplier_invoice_id uuid references supplier_invoices,
  -- Raised by the peer, of what we billed it. Null too where no such document of it is here.
  invoice_id uuid references invoices,
  -- The supplier's own id and number of the document.
  document_id uuid not null,
  number text not null check (length(number) between 1 and 100),
  reason text not null check (length(reason) between 1 and 2000),
  -- Positions of the lines that are meant; none: the whole of it.
  lines integer[] not null default '{}' check (cardinality(lines) <= 1000 and 0 < all (lines)),
  raised_at timestamptz not null,
  -- Where it was raised; null where it came from the peer.
  raised_by text,
  withdrawn_at timestamptz,
  withdrawn_by text,
  outcome text check (outcome in ('accepted', 'rejected')),
  answer text check (length(answer) between 1 and 2000),
  answered_at timestamptz,
  -- Where it was answered; null where the answer came from the peer.
  answered_by text,
  -- Both may be there where they crossed on their way: what was withdrawn is withdrawn.
  state text not null generated always as (case when withdrawn_at is not null then 'withdrawn' else coalesce(outcome, 'open') end) stored,
  constraint dispute_raised_by check ((supplier_invoice_id is null) = (raised_by is null)),
  constraint dispute_of_one_side check (num_nonnulls(supplier_invoice_id, invoice_id) <= 1),
  constraint dispute_answered check ((outcome is null) = (answered_at is null) and (answer is null or outcome is not null)
    and (answered_by is null or (outcome is not null and supplier_invoice_id is null))),
  constraint dispute_withdrawn_by check ((withdrawn_by is not null) = (withdrawn_at is not null and supplier_invoice_id is not null)),
  constraint dispute_rejected_with_text check (outcome is distinct from 'rejected' or answer is not null)
);
create unique index one_open_dispute on disputes (supplier_invoice_id) where withdrawn_at is null and outcome is null;
create index disputes_by_supplier_invoice on disputes (supplier_invoice_id, id) where supplier_invoice_id is not null;
create index disputes_by_invoice on disputes (invoice_id, id) where invoice_id is not null;

create function guard_dispute() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or (new.id, new.peer_id, new.document_id, new.number, new.reason, new.lines, new.raised_at)
    is distinct from (old.id, old.peer_id, old.document_id, old.number, old.reason, old.lines, old.raised_at)
    or (new.supplier_invoice_id, new.invoice_id, new.raised_by) is distinct from (old.supplier_invoice_id, old.invoice_id, old.raised_by)
    or (old.withdrawn_at is not null and new.withdrawn_at is distinct from old.withdrawn_at)
    or (old.outcome is not null and (new.outcome, new.answer, new.answered_at, new.answered_by)
      is distinct from (old.outcome, old.answer, old.answered_at, old.answered_by)) then
    raise exception 'what was said in a dispute stays' using errcode = 'check_violation', constraint = 'dispute_kept';
  end if;
  return new;
end $$;
create trigger dispute_kept before update or delete on disputes for each row execute function guard_dispute();
`
