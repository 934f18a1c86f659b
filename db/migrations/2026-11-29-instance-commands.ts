import { sql, type Kysely } from 'kysely'

/** What was asked of instances, by whom, and what came of it; lines of logs on their way; and secrets that are shown once and rotated. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [commands, logs, secrets]) await sql.raw(part).execute(db)
}

const commands = `
create table instance_commands (
  instance_id uuid not null references instances,
  -- The id of the request: asked twice under one id, it is carried out once.
  request_id text not null,
  kind text not null check (kind in ('restart', 'action', 'rotation')),
  -- The action's code, or the secret's name.
  subject text,
  actor text not null,
  answers jsonb not null default '{}' check (jsonb_typeof(answers) = 'object'),
  -- What was said in secret; gone once it is carried out.
  key_id text,
  sealed bytea,
  state text not null default 'asked' check (state in ('asked', 'running', 'done', 'failed', 'refused')),
  exit_code integer,
  -- What the action wrote, without what is secret.
  output text,
  refusal_code text,
  refusal_detail text,
  asked_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (instance_id, request_id),
  constraint instance_commands_subject_check check ((kind = 'restart') = (subject is null)),
  constraint instance_commands_sealed_check check ((sealed is null) = (key_id is null)),
  constraint instance_commands_finished_check check ((state in ('done', 'failed', 'refused')) = (finished_at is not null)),
  constraint instance_commands_forgotten_check check (finished_at is null or sealed is null),
  constraint instance_commands_refused_check check ((state = 'refused') = (refusal_code is not null))
);
create index instance_commands_by_instance on instance_commands (instance_id, asked_at);
`

const logs = `
-- Lines of logs between the server's worker and the one who asked: read once, then deleted. Unlogged, they are in no backup.
create unlogged table log_excerpts (
  request_id text primary key,
  instance_id uuid not null,
  asked jsonb not null,
  lines jsonb,
  created_at timestamptz not null default now()
);
`

const secrets = `
alter table secrets
  add column shown_at timestamptz,
  -- Another value stands in its place; it is kept until that one was seen to work.
  add column retired_at timestamptz,
  add column rotated_by text;
create unique index one_current_secret on secrets (instance_id, name) where retired_at is null and destroyed_at is null;
create unique index one_rotation_per_request on secrets (instance_id, name, rotated_by);
`
