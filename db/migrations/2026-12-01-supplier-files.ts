import { sql, type Kysely } from 'kysely'

/** The files of a document: the PDF, and the one that machines read, here and at a customer that is an installation itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table invoice_files
  drop constraint invoice_files_kind_check,
  alter column language drop not null,
  add constraint invoice_files_kind_check check (kind in ('pdf', 'ubl')),
  add constraint printed_in_a_language check ((kind = 'pdf') = (language is not null));

-- The last document whose files wait to be sent, or were.
alter table peers add column files_sequence bigint not null default 0 check (files_sequence >= 0);
create unique index file_sent_once on peer_messages (peer_id, subject_id, (content ->> 'media_type')) where kind = 'file';

create table supplier_files (
  peer_id uuid not null references peers,
  -- The supplier's own id of the document.
  document_id uuid not null,
  media_type text not null check (media_type in ('application/pdf', 'application/xml')),
  name text not null check (name ~ '^[A-Za-z0-9_.-]{1,120}$'),
  sha256 bytea check (length(sha256) = 32),
  content bytea,
  -- Why there is none, as the supplier says.
  missing_reason text check (length(missing_reason) between 1 and 300),
  received_at timestamptz not null,
  primary key (peer_id, document_id, media_type),
  constraint file_or_reason check ((content is null) = (missing_reason is not null) and (content is null) = (sha256 is null))
);
create trigger supplier_file_immutable before update or delete on supplier_files
  for each row execute function refuse_change();
`,
    )
    .execute(db)
}
