import { sql, type Kysely } from 'kysely'

/** What was delivered may wait again, as it was: the other side was restored from a backup that is older than it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(guard).execute(db)
}

const guard = `
create or replace function guard_peer_message() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE'
    or (old.delivered_at is not null and (new.delivered_at is not null or new.sequence <> old.sequence))
    or (new.peer_id, new.kind, new.subject_id, new.content)
      is distinct from (old.peer_id, old.kind, old.subject_id, old.content)
    or new.sequence < old.sequence
    or (new.sequence > old.sequence and new.delivered_at is not null)
    or (old.sha256 is not null and new.sha256 is distinct from old.sha256) then
    raise exception 'what a peer is sent stays what it is' using errcode = 'check_violation', constraint = 'peer_message_kept';
  end if;
  return new;
end $$`
