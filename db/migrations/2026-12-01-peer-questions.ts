import { sql, type Kysely } from 'kysely'

/** What was asked of other installations, or by them, with the signed words of the other side. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table peer_questions (
  id uuid primary key,
  peer_id uuid not null references peers,
  is_asked_here boolean not null,
  -- Of the one who asks: asked again, it is the same question.
  key text not null check (length(key) between 1 and 200),
  kind text not null check (kind in ('proof', 'usage')),
  supplier_invoice_id uuid references supplier_invoices,
  question jsonb not null,
  answer jsonb,
  -- The messages as they were signed.
  evidence jsonb,
  refusal_code text,
  refusal_detail text,
  asked_by text not null,
  asked_at timestamptz not null,
  finished_at timestamptz,
  constraint asked_once unique (peer_id, is_asked_here, key),
  constraint usage_of_an_invoice check ((kind = 'usage') = (supplier_invoice_id is not null)),
  constraint answered_with_evidence check ((answer is null) = (evidence is null)),
  constraint refused_with_a_reason check ((refusal_code is null) = (refusal_detail is null)),
  constraint finished_one_way check (
    (finished_at is null and answer is null and refusal_code is null)
    or (finished_at is not null and (answer is null) <> (refusal_code is null))
  )
);
create index peer_questions_by_peer on peer_questions (peer_id, kind, id desc);
create index peer_questions_by_supplier_invoice on peer_questions (supplier_invoice_id, id desc)
  where supplier_invoice_id is not null;
create trigger peer_answer_kept before update or delete on peer_questions
  for each row when (old.finished_at is not null) execute function refuse_change();
create trigger peer_questions_kept before truncate on peer_questions
  for each statement execute function refuse_change();
`,
    )
    .execute(db)
}
