import { sql, type Kysely } from 'kysely'

/**
 * What operators ask of build orders, with who and why. An order is planned as long as it waits for its turn; begun is when its
 * first step was. What a step tells of itself has its instant.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table build_orders add begun_at timestamptz;
alter table build_steps add progress_at timestamptz;

create table build_commands (
  id uuid primary key,
  build_order_id uuid not null references build_orders,
  kind text not null check (kind in ('cancel', 'resume', 'skip', 'mark_done')),
  build_step_id uuid references build_steps,
  actor text not null,
  reason text check (reason <> ''),
  asked_at timestamptz not null default now(),
  constraint build_commands_step check ((kind = 'cancel') = (build_step_id is null)),
  constraint build_commands_reason check (kind not in ('skip', 'mark_done') or reason is not null)
);
create index build_commands_by_order on build_commands (build_order_id);
create unique index one_decision_per_step on build_commands (build_step_id) where kind in ('skip', 'mark_done');
`,
    )
    .execute(db)
}
