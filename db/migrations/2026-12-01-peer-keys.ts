import { sql, type Kysely } from 'kysely'

/** Keys of peers follow each other and are revoked; what was refused is counted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
-- Ours: since it signs, which is once the other side has taken it. Theirs: since it is pinned.
alter table peer_keys add column holds_from timestamptz;
update peer_keys set holds_from = made_at;
alter table peer_keys add constraint their_key_holds check (is_own or holds_from is not null);
-- The next one is told, and taken, before there is another.
create unique index one_next_key_per_peer on peer_keys (peer_id) where is_own and holds_from is null and revoked_at is null;

create function guard_peer_key() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE'
    or (new.id, new.peer_id, new.is_own, new.public_key, new.made_at) is distinct from (old.id, old.peer_id, old.is_own, old.public_key, old.made_at)
    or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at) then
    raise exception 'a key stays what it is, and a revoked one revoked' using errcode = 'check_violation', constraint = 'peer_key_kept';
  end if;
  return new;
end $$;
create trigger peer_key_kept before update or delete on peer_keys
  for each row execute function guard_peer_key();

-- One row for however many of one cause and day: nobody fills the disk with what is refused.
create table peer_refusals (
  -- Null: of nobody who is known.
  peer_id uuid references peers,
  code text not null,
  day date not null,
  count bigint not null default 1 check (count >= 1),
  first_at timestamptz not null,
  last_at timestamptz not null,
  detail text not null check (length(detail) <= 1000),
  constraint one_refusal_per_day unique nulls not distinct (peer_id, code, day)
);
`,
    )
    .execute(db)
}
