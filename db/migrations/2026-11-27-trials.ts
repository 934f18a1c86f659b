import { sql, type Kysely } from 'kysely'

/** Trials: who had one of what, when it ends, and that its end was told before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(trials).execute(db)
}

const trials = `
create table used_trials (
  customer_id uuid not null references customers,
  product_id uuid not null references products,
  -- What is tried on a test clock is not real.
  test_clock_id uuid references test_clocks,
  order_id uuid not null references orders,
  constraint one_trial_per_customer unique nulls not distinct (customer_id, product_id, test_clock_id)
);

alter table subscriptions
  add column trial_ends_on date,
  add column trial_told_at timestamptz,
  add constraint trial_told check (trial_told_at is null or trial_ends_on is not null),
  drop constraint subscriptions_cancel_reason_code_check,
  add constraint subscriptions_cancel_reason_code_check check (cancel_reason_code in ('too_expensive', 'missing_features',
    'poor_quality', 'poor_service', 'not_used', 'other_provider', 'business_closed', 'not_paid', 'other', 'handed_over', 'trial_over'));
`
