import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { sql, type RawBuilder } from 'kysely'
import { newId } from '#db/identifier.ts'
import type { Db } from '#db/database.ts'
import { openTask } from '#db/task.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import { subscriptionPhases } from '#domain/subscription.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

// What must never happen is tried on the database itself, past all of our code.

let seller: Seller
let db: Db
/** A subscription with a document, an instance, and a finalized invoice of one line. */
let sold: Record<
  'subscription' | 'line' | 'usageLine' | 'document' | 'instance' | 'invoice' | 'invoiceLine',
  string
>

before(async () => {
  seller = await createSeller()
  db = seller.db
  const subscription = await seller.sell({ kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' })
  const line = await one('subscription_lines', sql`subscription_id = ${subscription} and position = 0`)
  const usageLine = await one('subscription_lines', sql`subscription_id = ${subscription} and position = 1`)
  const document = await one('subscription_documents', sql`true`)
  await billDue(db, document, '2026-02-01T00:00:00Z')
  const invoice = await one('invoices', sql`number = 'INV-00001'`)
  sold = {
    subscription,
    line,
    usageLine,
    document,
    instance: await one('instances', sql`true`),
    invoice,
    invoiceLine: await one('invoice_lines', sql`subscription_line_id = ${line} and invoice_id = ${invoice}`),
  }
})
after(async () => seller.drop())

async function one(table: string, where: RawBuilder<unknown>): Promise<string> {
  const { rows } = await sql<{ id: string }>`select id from ${sql.table(table)} where ${where}`.execute(db)
  return rows[0]?.id ?? assert.fail(`${table} has no such row`)
}

async function refuses(constraint: string, act: () => Promise<unknown>): Promise<void> {
  await assert.rejects(act, { constraint })
}

async function insertRow(table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
  const columns = Object.keys(row).map((name) => sql.ref(name))
  await sql`insert into ${sql.table(table)} (${sql.join(columns)}) values (${sql.join(Object.values(row))})`.execute(
    db,
  )
}

async function draftInvoice(overrides: Record<string, unknown> = {}): Promise<string> {
  const draft = {
    billing_key: newId(),
    series: null,
    sequence: null,
    number: null,
    finalized_at: null,
    hash: null,
    previous_hash: null,
  }
  return await copyRow(db, 'invoices', sold.invoice, { ...draft, ...overrides })
}

/** A draft with one line of 5.00 for days that nothing else was billed for. */
async function draftWithLine(
  servicePeriod: string,
  overrides: Record<string, unknown> = {},
): Promise<string> {
  const invoice_id = await draftInvoice({ net_minor: 500, total_minor: 500, ...overrides })
  await copyRow(db, 'invoice_lines', sold.invoiceLine, { invoice_id, service_period: servicePeriod })
  return invoice_id
}

async function finalize(invoiceId: string): Promise<void> {
  await sql`update invoices set series = 'X', sequence = (select count(*) from invoices), number = id::text, finalized_at = now()
    where id = ${invoiceId}`.execute(db)
}

test('a value of an instance is 0 or more, and has one of a day', async () => {
  const value = (of: { value?: string; code?: string }) =>
    sql`insert into instance_values (instance_id, code, value, starts_on, recorded_at, recorded_by)
      values (${sold.instance}, ${of.code ?? 'users'}, ${of.value ?? '5'}, '2026-01-01', now(), 'test')`.execute(
      db,
    )
  await refuses('instance_values_value_check', async () => value({ value: '-1' }))
  await refuses('instance_values_code_check', async () => value({ code: 'Users' }))
  await value({})
  await refuses('instance_values_pkey', async () => value({}))
})

test('what was observed has its instant, and a finding of one object is open once', async () => {
  const observed = (state: string, at: string) =>
    sql`update instances set observed_state = ${sql.raw(state)}, observed_at = ${sql.raw(at)} where id = ${sold.instance}`.execute(
      db,
    )
  await refuses('observed_at_an_instant', async () => observed(`'running'`, 'null'))
  await refuses('instances_observed_state_check', async () => observed(`'well'`, 'now()'))
  const finding = (of: {
    kind?: string
    severity?: string
    object?: string
    seen?: string
    settled?: string
  }) =>
    sql`insert into findings (id, server_id, kind, severity, object_kind, object_name, detail, is_safe, command, found_at, seen_at, settled_at)
      select ${newId()}, server_id, ${of.kind ?? 'ghost'}, ${of.severity ?? 'notice'}, ${of.object ?? 'volume'}, 'acme_data', 'gone',
        true, 'none', '2026-01-02', ${of.seen ?? '2026-01-02'}, ${of.settled ?? null}
      from instances where id = ${sold.instance}`.execute(db)
  await refuses('findings_kind_check', async () => finding({ kind: 'odd' }))
  await refuses('findings_severity_check', async () => finding({ severity: 'dire' }))
  await refuses('findings_object_kind_check', async () => finding({ object: 'image' }))
  await refuses('findings_check', async () => finding({ seen: '2026-01-01' }))
  await refuses('findings_check1', async () => finding({ settled: '2026-01-01' }))
  await finding({})
  await refuses('one_open_finding', async () => finding({}))
})

test('usage events are taken for at least a day and at most a hundred, and at most an hour ahead', async () => {
  const late = async (days: number) => sql`update installation set usage_late_days = ${days}`.execute(db)
  await refuses('installation_usage_late_days_check', async () => late(0))
  await refuses('installation_usage_late_days_check', async () => late(101))
  await refuses('installation_usage_early_seconds_check', async () =>
    sql`update installation set usage_early_seconds = 3601`.execute(db),
  )
})

test('a metric fails at least once, and not before it began to', async () => {
  const fail = async (failedAt: string, failures: number) =>
    sql`insert into metric_failures (instance_id, metric, detail, failing_since, failed_at, failures)
    values (${sold.instance}, 'network', 'x', '2026-03-01', ${failedAt}, ${failures})`.execute(db)
  await refuses('metric_failures_check', async () => fail('2026-02-01', 1))
  await refuses('metric_failures_failures_check', async () => fail('2026-03-01', 0))
})

test('a usage event is below 0 only where it reverses another one, which is reversed once', async () => {
  const store = async (more: Record<string, unknown>) => {
    const id = newId()
    const event = {
      source: 'gateway',
      event_id: id,
      metric: 'network',
      unit: 'GiB',
      occurred_at: '2026-02-01T00:00:00Z',
    }
    const row = {
      id,
      subscription_id: sold.subscription,
      quantity: '8',
      reverses_id: null,
      ...event,
      ...more,
    }
    await db.insertInto('usage_events').values(row).execute()
    return id
  }
  const first = await store({})
  await refuses('quantity_below_zero_reverses', async () => store({ quantity: '-1' }))
  await refuses('quantity_below_zero_reverses', async () => store({ quantity: '1', reverses_id: first }))
  await refuses('usage_events_reverses_id_fkey', async () => store({ quantity: '-1', reverses_id: newId() }))
  const own = newId()
  await refuses('usage_events_check1', async () => store({ id: own, quantity: '-1', reverses_id: own }))
  await refuses('usage_events_properties_check', async () => store({ properties: '[]' }))
  await store({ quantity: '-1', reverses_id: first })
  await refuses('one_reversal_per_event', async () => store({ quantity: '-1', reverses_id: first }))
})

test('a refused usage event has one place a sender, and no more room than it may have', async () => {
  const keep = async (more: Record<string, unknown>) => {
    const row = {
      id: newId(),
      sender: 'key',
      name: 'gateway 1',
      source: 'gateway',
      event_id: '1',
      content: '{}',
      is_whole: true,
      code: 'field_required',
      detail: 'It was empty.',
      pointer: null,
      first_refused_at: '2026-02-01T00:00:00Z',
      refused_at: '2026-02-01T00:00:00Z',
      ...more,
    }
    await db.insertInto('refused_usage_events').values(row).execute()
  }
  await keep({})
  await refuses('one_place_per_refused_event', async () => keep({}))
  const other = { sender: 'another key' }
  await refuses('refused_usage_events_content_check', async () =>
    keep({ ...other, content: 'x'.repeat(8_193) }),
  )
  await refuses('refused_usage_events_detail_check', async () =>
    keep({ ...other, detail: 'x'.repeat(1_001) }),
  )
  await refuses('refused_usage_events_pointer_check', async () =>
    keep({ ...other, pointer: 'x'.repeat(501) }),
  )
  await refuses('refused_usage_events_name_check', async () => keep({ ...other, name: 'x'.repeat(501) }))
  await refuses('refused_usage_events_refusals_check', async () => keep({ ...other, refusals: 0 }))
  await refuses('refused_usage_events_check', async () =>
    keep({ ...other, refused_at: '2026-01-31T00:00:00Z' }),
  )
})

test('what is asked of a build names its step, and why where something is left out, and each step is decided once', async () => {
  const order = newId()
  const step = newId()
  await sql`insert into build_orders (id, subscription_id, kind, number, state)
    values (${order}, ${sold.subscription}, 'unbuild', 99, 'done')`.execute(db)
  await sql`insert into build_steps (id, build_order_id, instance_id, server_id, position, kind, name, title, plan)
    select ${step}, ${order}, id, server_id, 0, 'ready', 'shop', 'Ready', '{}' from instances where id = ${sold.instance}`.execute(
    db,
  )
  const ask = async (kind: string, of: { step?: string | null; reason?: string | null } = {}) =>
    sql`insert into build_commands (id, build_order_id, kind, build_step_id, actor, reason)
      select ${newId()}, build_order_id, ${kind}, ${of.step === undefined ? step : of.step}, 'ops', ${of.reason ?? null}
      from build_steps where id = ${step}`.execute(db)
  await refuses('build_commands_kind_check', async () => ask('restart', { reason: 'why' }))
  await refuses('build_commands_step', async () => ask('cancel'))
  await refuses('build_commands_step', async () => ask('resume', { step: null }))
  await refuses('build_commands_reason', async () => ask('skip'))
  await refuses('build_commands_reason_check', async () => ask('resume', { reason: '' }))
  await ask('skip', { reason: 'looked at by hand' })
  await refuses('one_decision_per_step', async () => ask('mark_done', { reason: 'again' }))
  for (const [table, key] of [
    ['build_commands', 'build_order_id'],
    ['build_steps', 'build_order_id'],
    ['build_orders', 'id'],
  ] as const)
    await sql`delete from ${sql.table(table)} where ${sql.ref(key)} = ${order}`.execute(db)
})

test('a server has an engine that is reached in one way, people have none, and a token is one at a time', async () => {
  const server = (of: Record<string, unknown>) =>
    copyRow(db, 'servers', seller.serverId, { code: 'other', ...of })
  await refuses('servers_resource_kind_check', async () => server({ resource_kind: 'robots' }))
  await refuses('servers_connection_check', async () => server({ connection: 'ssh' }))
  await refuses('servers_failure_cause_check', async () =>
    server({ failure_cause: 'odd', failure_detail: '' }),
  )
  await refuses('failure_has_a_cause', async () => server({ failure_cause: 'refused' }))
  await refuses('only_infrastructure_has_an_engine', async () => server({ resource_kind: 'people' }))
  await refuses('only_infrastructure_has_an_engine', async () => server({ connection: null }))
  await refuses('tls_has_an_address', async () => server({ connection: 'tls' }))
  await refuses('tls_has_an_address', async () => server({ engine_address: 'tcp://there:2376' }))
  await refuses('servers_engine_address_check', async () => server({ engine_address: 'ssh://there' }))
  const token = (of: { expires: string }) =>
    sql`insert into server_join_tokens (server_id, secret_sha256, created_at, expires_at)
      select id, ${Buffer.alloc(32)}, '2026-01-02', ${of.expires} from servers where code = 'local'`.execute(
      db,
    )
  await refuses('server_join_tokens_check', async () => token({ expires: '2026-01-01' }))
  await token({ expires: '2026-01-03' })
  await refuses('server_join_tokens_pkey', async () => token({ expires: '2026-01-03' }))
  const secret = (name: string) =>
    sql`insert into server_secrets (server_id, name, key_id, sealed)
      select id, ${name}, 'test', '' from servers where code = 'local'`.execute(db)
  await refuses('server_secrets_name_check', async () => secret('password'))
  await secret('ca')
  await refuses('server_secrets_pkey', async () => secret('ca'))
  const silence = (seconds: number) =>
    sql`update installation set server_silence_seconds = ${seconds}`.execute(db)
  await refuses('installation_server_silence_seconds_check', async () => silence(1))
})

test('a note of a customer says something, and not more than fits', async () => {
  const note = (text: string) => sql`update customers set invoice_note = ${text}`.execute(db)
  await refuses('customers_invoice_note_check', async () => note(''))
  await refuses('customers_invoice_note_check', async () => note('x'.repeat(1001)))
})

test('only a fixed price has a currency of its own, and a conversion has a rate', async () => {
  const list = newId()
  await sql`insert into price_lists (id, code, name, currency) values (${list}, 'own-currency', 'x', 'USD')`.execute(
    db,
  )
  const item = (currency: string, price: string | null) =>
    sql`insert into price_list_items (id, price_list_id, currency, price, discount_percent)
      values (${newId()}, ${list}, ${currency}, ${price}::jsonb, ${price === null ? '10' : null}::numeric)`.execute(
      db,
    )
  await refuses('price_list_items_check4', async () => item('EUR', null))
  await refuses('price_list_items_currency_check', async () =>
    item('eur', '{"model": "flat", "amount": "1"}'),
  )
  await refuses('subscription_lines_conversion_check', async () =>
    sql`update subscription_lines set conversion = '{"rate": null}' where id = ${sold.line}`.execute(db),
  )
})

test('an invoice is made 0 to 60 days before its period', async () => {
  await refuses('advance_days_known', async () => sql`update installation set advance_days = 61`.execute(db))
  await refuses('document_advance_days_known', async () =>
    sql`update subscription_documents set advance_days = -1 where id = ${sold.document}`.execute(db),
  )
})

test('only an invoice of nothing is skipped', async () => {
  const draft = await draftInvoice()
  await refuses('skipped_of_nothing', async () =>
    sql`update invoices set skipped_at = now() where id = ${draft}`.execute(db),
  )
})

test('a line and its successor never overlap', async () => {
  const successor = { starts_on: '2026-03-01', ends_on: null }
  await refuses('subscription_lines_first_line_id_daterange_excl', async () =>
    copyRow(db, 'subscription_lines', sold.line, successor),
  )
})

test('a line never ends before it starts, and never recurs without a document', async () => {
  const own = { first_line_id: newId() }
  await refuses('subscription_lines_check2', async () =>
    copyRow(db, 'subscription_lines', sold.line, { ...own, ends_on: '2025-12-31' }),
  )
  await refuses('subscription_lines_check3', async () =>
    copyRow(db, 'subscription_lines', sold.line, { ...own, document_id: null }),
  )
})

test('a day of a line is charged once, and credited once, but for what is billed anew as a revision', async () => {
  const invoice_id = await draftInvoice()
  const add = async (kind: string, service_period: string, position: number, revision = 0) => {
    const overrides = { invoice_id, kind, service_period, position, revision }
    await copyRow(db, 'invoice_lines', sold.invoiceLine, overrides)
  }
  await refuses('charged_once', async () => add('recurring', '[2026-01-31,2026-02-02)', 0))
  await add('credit', '[2026-01-20,2026-02-01)', 1)
  await refuses('charged_once', async () => add('credit', '[2026-01-10,2026-01-21)', 2))
  await add('recurring', '[2026-01-31,2026-02-02)', 3, 1)
  await refuses('charged_once', async () => add('recurring', '[2026-02-01,2026-02-03)', 4, 1))
})

test('a one-time fee is charged once', async () => {
  const fee = { invoice_id: await draftInvoice(), kind: 'one_time', service_period: null }
  await copyRow(db, 'invoice_lines', sold.invoiceLine, { ...fee, position: 0 })
  await refuses('one_time_fee_once', async () =>
    copyRow(db, 'invoice_lines', sold.invoiceLine, { ...fee, position: 1 }),
  )
})

test('what recurs has a service period, and usage has its window once it is finalized', async () => {
  const invoice_id = await draftInvoice()
  await refuses('invoice_lines_check', async () =>
    copyRow(db, 'invoice_lines', sold.invoiceLine, { invoice_id, service_period: null }),
  )
  const usage = await draftInvoice({ net_minor: 500, total_minor: 500 })
  await copyRow(db, 'invoice_lines', sold.invoiceLine, {
    invoice_id: usage,
    kind: 'usage',
    service_period: '[2030-01-01,2030-02-01)',
  })
  await refuses('invoice_total', async () => finalize(usage))
})

test('a line says what it is of: a subscription line, a one-off charge, or the line that it corrects', async () => {
  const invoice_id = await draftInvoice()
  const add = async (overrides: Record<string, unknown>) =>
    await copyRow(db, 'invoice_lines', sold.invoiceLine, {
      invoice_id,
      service_period: '[2045-01-01,2045-02-01)',
      ...overrides,
    })
  await refuses('invoice_lines_check1', async () => add({ subscription_line_id: null }))
  await refuses('invoice_lines_check2', async () => add({ kind: 'one_off' }))
  await refuses('invoice_lines_check3', async () => add({ kind: 'correction' }))
  const window = await one('usage_windows', sql`subscription_line_id = ${sold.usageLine}`)
  await refuses('invoice_lines_check4', async () => add({ usage_window_id: window }))
  await refuses('invoice_lines_check5', async () => add({ discount_minor: 1 }))
})

test('a one-off charge is billed once', async () => {
  const charge = newId()
  await sql`insert into one_off_charges (id, customer_id, currency, description, quantity, unit, price, charged_on)
    select ${charge}, customer_id, 'USD', 'Work', 1, 'hour', '{}', '2026-01-01' from subscriptions limit 1`.execute(
    db,
  )
  const invoice_id = await draftInvoice()
  const line = { invoice_id, kind: 'one_off', one_off_charge_id: charge, subscription_line_id: null }
  await copyRow(db, 'invoice_lines', sold.invoiceLine, { ...line, position: 0 })
  await refuses('one_off_charge_once', async () =>
    copyRow(db, 'invoice_lines', sold.invoiceLine, { ...line, position: 1 }),
  )
})

test('a text costs nothing, and comes to nothing on an invoice', async () => {
  const charge = async (price: string, quantity = 1) => {
    const id = newId()
    await sql`insert into one_off_charges (id, customer_id, currency, description, quantity, unit, price, charged_on, is_text)
      select ${id}, customer_id, 'USD', 'Thank you', ${quantity}, 'piece', ${price}, '2026-01-01', true
      from subscriptions limit 1`.execute(db)
    return id
  }
  const free = JSON.stringify({ model: 'per_unit', unitAmount: '0' })
  await refuses('text_costs_nothing', async () => charge(free.replace('"0"', '"1"')))
  await refuses('text_costs_nothing', async () => charge(free, 2))
  const text = { kind: 'one_off', one_off_charge_id: await charge(free), subscription_line_id: null }
  const invoice_id = await draftInvoice()
  const nothing = { rated_minor: 0, amount_minor: 0, unit_price: null, is_text: true }
  const add = async (more: object) =>
    copyRow(db, 'invoice_lines', sold.invoiceLine, { invoice_id, ...text, ...nothing, ...more })
  await refuses('text_comes_to_nothing', async () => add({ rated_minor: 1, amount_minor: 1 }))
  await refuses('text_comes_to_nothing', async () => add({ unit_price: '1' }))
  await add({})
})

test('no more is credited of a line than was charged, however many do it', async () => {
  const invoice_id = await draftInvoice({ kind: 'credit_note' })
  const credit = async (position: number, amount_minor: number) =>
    await copyRow(db, 'invoice_lines', sold.invoiceLine, {
      invoice_id,
      position,
      kind: 'correction',
      credits_line_id: sold.invoiceLine,
      rated_minor: amount_minor,
      amount_minor,
    })
  await credit(0, -300)
  const tries = await Promise.allSettled([1, 2, 3].map(async (position) => credit(position, -200)))
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  await refuses('credit_exceeds_line', async () => credit(9, -1))
  await sql`delete from invoice_lines where invoice_id = ${invoice_id}`.execute(db)
})

test('no more is taken from a document than it holds, and what was taken stays', async () => {
  const take = async (amountMinor: number) =>
    await sql`insert into allocations (id, invoice_id, kind, amount_minor, allocated_at)
      values (${newId()}, ${sold.invoice}, 'payment', ${amountMinor}, now())`.execute(db)
  await take(600)
  await refuses('allocation_exceeds_document', async () => take(401))
  const tries = await Promise.allSettled([take(300), take(300)])
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  await refuses('allocations_immutable', async () => sql`update allocations set amount_minor = 1`.execute(db))
  await refuses('allocations_immutable', async () => sql`delete from allocations`.execute(db))
})

test('a balance is never below nothing', async () => {
  await refuses('customer_balances_amount_minor_check', async () =>
    sql`insert into customer_balances (customer_id, currency, amount_minor)
      select customer_id, 'USD', -1 from subscriptions limit 1`.execute(db),
  )
})

test('a customer has one open document for an interval and currency, with or without a test clock', async () => {
  await refuses('one_open_document', async () => copyRow(db, 'subscription_documents', sold.document))
  const test_clock_id = await seller.clock('2026-01-01T00:00:00Z')
  await copyRow(db, 'subscription_documents', sold.document, { test_clock_id })
  await refuses('one_open_document', async () =>
    copyRow(db, 'subscription_documents', sold.document, { test_clock_id }),
  )
  await copyRow(db, 'subscription_documents', sold.document, { closed_at: '2026-01-01' })
})

test('a finalized document never changes', async () => {
  const { invoice } = sold
  for (const statement of [
    sql`update invoices set due_on = due_on + 1 where id = ${invoice}`,
    sql`update invoices set finalized_at = null, number = null, sequence = null where id = ${invoice}`,
    sql`update invoices set customer_id = customer_id where id = ${invoice}`,
    sql`delete from invoices where id = ${invoice}`,
    sql`update invoice_lines set description = 'other' where invoice_id = ${invoice}`,
    sql`delete from invoice_lines where invoice_id = ${invoice}`,
    sql`update invoice_taxes set name = 'other' where invoice_id = ${invoice}`,
    sql`delete from invoice_taxes where invoice_id = ${invoice}`,
    sql`insert into invoice_taxes (invoice_id, position, category, name, rate_percent, base_minor, tax_minor)
      values (${invoice}, 9, 'standard', 'VAT', 20, 0, 0)`,
  ]) {
    await refuses('invoice_finalized', async () => statement.execute(db))
  }
})

test('no line comes to a finalized document, and none leaves it', async () => {
  const later = { service_period: '[2031-01-01,2031-02-01)' }
  await refuses('invoice_finalized', async () =>
    copyRow(db, 'invoice_lines', sold.invoiceLine, { ...later, position: 9 }),
  )
  const draft = await draftWithLine('[2031-01-01,2031-02-01)')
  await refuses('invoice_finalized', async () =>
    sql`update invoice_lines set invoice_id = ${sold.invoice}, position = 9 where invoice_id = ${draft}`.execute(
      db,
    ),
  )
  await refuses('invoice_finalized', async () =>
    sql`update invoice_lines set invoice_id = ${draft}, position = 9 where id = ${sold.invoiceLine}`.execute(
      db,
    ),
  )
})

test('no line comes to a document that is being finalized', async () => {
  const invoice_id = await draftWithLine('[2032-01-01,2032-02-01)')
  const late = { invoice_id, position: 1, service_period: '[2033-01-01,2033-02-01)' }
  let refused: Promise<void> | undefined
  await db.transaction().execute(async (tx) => {
    await sql`update invoices set series = 'X', sequence = 999, number = 'X-999', finalized_at = now() where id = ${invoice_id}`.execute(
      tx,
    )
    refused = refuses('invoice_finalized', async () => copyRow(db, 'invoice_lines', sold.invoiceLine, late))
    refused.catch(() => {})
    await untilSomebodyWaits()
  })
  await refused
})

async function untilSomebodyWaits(): Promise<void> {
  while ((await countWaiting(db)) === 0) await setTimeout(5)
}

test('invoices, their lines, windows and periods are never truncated', async () => {
  for (const table of [
    'invoices',
    'invoice_lines',
    'usage_windows',
    'billing_periods',
    'subscription_lines',
  ]) {
    await assert.rejects(sql`truncate ${sql.table(table)} cascade`.execute(db), /rows never change/)
  }
  await refuses('billing_periods_immutable', async () => sql`truncate billing_periods`.execute(db))
})

test('a document that does not add up to its lines is never finalized', async () => {
  await refuses('invoice_total', async () =>
    finalize(await draftWithLine('[2034-01-01,2034-02-01)', { net_minor: 501, total_minor: 501 })),
  )
  await refuses('invoice_total', async () =>
    finalize(await draftWithLine('[2034-02-01,2034-03-01)', { kind: 'credit_note' })),
  )
  await refuses('invoice_empty', async () => finalize(await draftInvoice({ net_minor: 0, total_minor: 0 })))
  const untaxed = await draftWithLine('[2034-04-01,2034-05-01)')
  await sql`insert into invoice_taxes (invoice_id, position, category, name, rate_percent, base_minor, tax_minor)
    values (${untaxed}, 0, 'standard', 'VAT', 20, 500, 100)`.execute(db)
  await refuses('invoice_total', async () => finalize(untaxed))
  await finalize(await draftWithLine('[2034-03-01,2034-04-01)'))
})

test('tax in the seller’s currency says by which rate', async () => {
  const stated = JSON.stringify({ currency: 'EUR', taxMinor: 800 })
  await refuses('invoices_stated_tax_check', async () => draftInvoice({ stated_tax: stated }))
})

test('a document is never less than nothing, and its total is net and tax', async () => {
  await refuses('invoices_total_minor_check', async () => draftInvoice({ net_minor: -1, total_minor: -1 }))
  await refuses('invoices_check', async () => draftInvoice({ tax_minor: 1 }))
})

test('a document begins as a draft, and has a number exactly when it is finalized', async () => {
  await refuses('invoice_draft_first', async () =>
    draftInvoice({ series: 'X', sequence: 1, number: 'X-1', finalized_at: '2026-01-01' }),
  )
  await refuses('invoices_check1', async () => draftInvoice({ number: 'X-1' }))
  await refuses('invoices_check2', async () => draftInvoice({ series: 'X', sequence: 1 }))
})

test('one purpose makes one document', async () => {
  const billing_key = newId()
  await draftInvoice({ billing_key })
  await refuses('invoices_billing_key_key', async () => draftInvoice({ billing_key }))
})

test('a billed period stays, and none overlaps it', async () => {
  const { document } = sold
  await refuses('billing_periods_pkey', async () =>
    sql`insert into billing_periods (document_id, period_index, period) values (${document}, 0, '[2040-01-01,2040-02-01)')`.execute(
      db,
    ),
  )
  await refuses('billing_periods_document_id_period_excl', async () =>
    sql`insert into billing_periods (document_id, period_index, period) values (${document}, 90, '[2026-01-31,2026-02-02)')`.execute(
      db,
    ),
  )
  await refuses('billing_periods_immutable', async () =>
    sql`update billing_periods set period_index = 91`.execute(db),
  )
  await refuses('billing_periods_immutable', async () => sql`delete from billing_periods`.execute(db))
})

test('a name and a prefix are one environment’s, unless it was released, which a default never is', async () => {
  const id = await one('environments', sql`true`)
  const copy = async (changes: object) =>
    copyRow(db, 'environments', id, { is_default: false, name: 'other', prefix: 'other', ...changes })
  const { rows } = await sql<{ name: string; prefix: string }>`
    select name, prefix from environments where id = ${id}`.execute(db)
  const [used] = rows
  await refuses('environments_name_key', async () => copy({ name: used?.name }))
  await refuses('environments_prefix_key', async () => copy({ prefix: used?.prefix }))
  await refuses('environments_name_check', async () => copy({ name: '-other' }))
  await refuses('environments_default_stays', async () =>
    sql`update environments set released_at = now() where id = ${id}`.execute(db),
  )
  await copy({ released_at: '2026-01-01', ...used })
})

test('a name is held by one order, for a time that a seller can mean', async () => {
  const order = await one('orders', sql`true`)
  const hold = async (kind: string) =>
    sql`insert into reserved_names values (${kind}, 'shop', ${order}, now())`.execute(db)
  await hold('name')
  await refuses('reserved_names_pkey', async () => hold('name'))
  await hold('prefix')
  await refuses('reserved_names_kind_check', async () => hold('title'))
  await refuses('installation_reservation_minutes_check', async () =>
    sql`update installation set reservation_minutes = 0`.execute(db),
  )
})

test('terms of service say something and never change, and an order accepts them with instant and name', async () => {
  const publish = async (version: number, text: string | null) =>
    sql`insert into service_terms (version, text, published_at) values (${version}, ${text}, now())`.execute(
      db,
    )
  await publish(1, 'First.')
  await refuses('service_terms_version_check', async () => publish(0, 'None.'))
  await refuses('service_terms_say_something', async () => publish(2, null))
  await refuses('service_terms_immutable', async () =>
    sql`update service_terms set text = 'Other.'`.execute(db),
  )
  await assert.rejects(async () => sql`truncate service_terms cascade`.execute(db), /never change/)
  const order = await one('orders', sql`true`)
  await refuses('orders_terms_check', async () =>
    sql`update orders set terms_version = 1 where id = ${order}`.execute(db),
  )
  await refuses('orders_terms_version_fkey', async () =>
    sql`update orders set terms_version = 9, terms_accepted_at = now(), terms_accepted_by = 'Ada' where id = ${order}`.execute(
      db,
    ),
  )
  await refuses('installation_terms_required_check', async () =>
    sql`update installation set terms_required = 'nowhere'`.execute(db),
  )
})

test('an external id is one of its kind, in visible characters', async () => {
  for (const table of ['customers', 'products', 'orders', 'subscriptions'] as const) {
    const id = await one(table, sql`true`)
    const own = table === 'customers' || table === 'products' ? { code: 'copied' } : {}
    await sql`update ${sql.table(table)} set external_id = 'crm-1' where id = ${id}`.execute(db)
    await refuses(`${table}_external_id`, async () =>
      copyRow(db, table, id, { ...own, external_id: 'crm-1' }),
    )
    await refuses(`${table}_external_id_check`, async () =>
      copyRow(db, table, id, { ...own, external_id: 'crm 2' }),
    )
    await sql`update ${sql.table(table)} set external_id = null where id = ${id}`.execute(db)
  }
  const line = await one('order_lines', sql`true`)
  await refuses('order_lines_external_id_check', async () =>
    sql`update order_lines set external_id = '' where id = ${line}`.execute(db),
  )
})

test('a usage window never changes, and none overlaps it', async () => {
  const window = await one('usage_windows', sql`subscription_line_id = ${sold.usageLine}`)
  await refuses('usage_windows_immutable', async () => sql`update usage_windows set quantity = 1`.execute(db))
  await refuses('usage_windows_immutable', async () => sql`delete from usage_windows`.execute(db))
  await refuses('usage_windows_subscription_line_id_window_period_excl', async () =>
    copyRow(db, 'usage_windows', window),
  )
  await refuses('usage_windows_window_period_check', async () =>
    copyRow(db, 'usage_windows', window, { window_period: '[2035-01-01,)' }),
  )
  await refuses('only_first_windows_are_pending', async () =>
    copyRow(db, 'usage_windows', window, { is_pending: true, is_late: true }),
  )
  await refuses('unsettled_windows_reason_check', async () =>
    sql`insert into unsettled_windows (usage_window_id, reason) values (${window}, 'doubt')`.execute(db),
  )
})

test('a reading is no less than 0 and there once, and an hour holds as many as it says', async () => {
  const { id: instanceId } = await db.selectFrom('instances').select('id').executeTakeFirstOrThrow()
  const series = { instance_id: instanceId, metric: 'users', series: 'a', unit: 'user' }
  const { id } = await db
    .insertInto('reading_series')
    .values(series)
    .returning('id')
    .executeTakeFirstOrThrow()
  await refuses('reading_series_instance_id_metric_series_unit_key', async () =>
    db.insertInto('reading_series').values(series).execute(),
  )
  const at = '2026-01-01T00:00:00Z'
  const reading = { series_id: id, value: '1', read_at: at, sampled_at: at }
  await db.insertInto('reading_values').values(reading).execute()
  const { rows } = await sql<{ name: string }>`
    select replace(tableoid::regclass::text, 'reading_values', '') as name from reading_values`.execute(db)
  const partition = `reading_values${rows[0]?.name}`
  await refuses(`${partition}_pkey`, async () => db.insertInto('reading_values').values(reading).execute())
  await refuses('reading_values_value_check', async () =>
    db
      .insertInto('reading_values')
      .values({ ...reading, sampled_at: '2026-01-02T00:00:00Z', value: '-1' })
      .execute(),
  )
  const hour = {
    series_id: id,
    starts_at: at,
    rolled_up_to: at,
    reading_count: 1,
    read_ats: [at],
    read_values: ['1'],
  }
  const addHour = async (overrides: object) =>
    db
      .insertInto('reading_hours')
      .values({ ...hour, sampled_ats: null, openings: null, ...overrides })
      .execute()
  await refuses('reading_hours_reading_count_check', async () =>
    addHour({ reading_count: 0, read_ats: [], read_values: [] }),
  )
  await refuses('an_hour_has_all_its_readings', async () => addHour({ read_values: ['1', '2'] }))
  await refuses('an_hour_knows_all_or_none', async () => addHour({ openings: [true, false] }))
  await addHour({})
  await refuses('reading_hours_pkey', async () => addHour({}))
  await refuses('reading_store_is_only_check', async () =>
    db.insertInto('reading_store').values({ is_only: false }).execute(),
  )
  await refuses('reading_store_pkey', async () =>
    db.insertInto('reading_store').values({ raw_days: 41 }).execute(),
  )
  await refuses('reading_store_raw_days_check', async () =>
    db.updateTable('reading_store').set({ raw_days: 6 }).execute(),
  )
  await refuses('reading_store_hourly_months_check', async () =>
    db.updateTable('reading_store').set({ hourly_months: 3 }).execute(),
  )
})

test('an answer to a tax id stays, and says why where there is none', async () => {
  const { id: customerId } = await db.selectFrom('customers').select('id').executeTakeFirstOrThrow()
  const add = async (overrides: object) =>
    db
      .insertInto('tax_id_checks')
      .values({
        id: newId(),
        customer_id: customerId,
        tax_id: 'FR1',
        answer: 'valid',
        checked_at: '2026-01-01T00:00:00Z',
        ...overrides,
      })
      .execute()
  await refuses('tax_id_checks_answer_check', async () => add({ answer: 'perhaps' }))
  await refuses('tax_id_checks_check', async () => add({ answer: 'unreachable' }))
  await refuses('tax_id_checks_check1', async () =>
    add({ answer: 'unreachable', failure: 'away', consultation_number: 'W1' }),
  )
  await add({})
  await assert.rejects(db.deleteFrom('tax_id_checks').execute(), /tax_id_checks/)
})

test('what a tax service answered stays; a question waits once', async () => {
  const facts = {
    seller_country: 'DE',
    buyer_country: 'FR',
    buyer_region: null,
    is_business: false,
    is_tax_id_verified: false,
    product_category: 'standard',
  }
  const decision = JSON.stringify({ category: 'exempt', rates: [], note: null })
  const at = '2026-01-01T00:00:00Z'
  const answer = async (overrides: object) =>
    db
      .insertInto('tax_answers')
      .values({
        id: newId(),
        ...facts,
        valid_in: '[2026-01-01,)',
        decision,
        source: 'S',
        answered_at: at,
        ...overrides,
      })
      .execute()
  await refuses('tax_answers_valid_in_check', async () => answer({ valid_in: 'empty' }))
  await refuses('tax_answers_decision_check', async () => answer({ decision: '{}' }))
  await refuses('tax_answers_source_check', async () => answer({ source: '' }))
  await answer({})
  await assert.rejects(db.deleteFrom('tax_answers').execute(), /tax_answers/)
  const question = async (overrides: object) =>
    db
      .insertInto('tax_questions')
      .values({
        id: newId(),
        ...facts,
        on_date: '2026-01-01',
        asked_since: at,
        next_try_at: at,
        last_error: null,
        ...overrides,
      })
      .execute()
  await refuses('tax_questions_attempts_check', async () => question({ attempts: -1 }))
  await question({})
  await refuses('one_tax_question', async () => question({}))
  await refuses('installation_tax_determination_check', async () =>
    sql`update installation set tax_determination = 'guess'`.execute(db),
  )
})

test('a payer pays for himself, and an invoice is for another than who pays', async () => {
  const make = async (payerId: string | null, id = newId()) => {
    const facts = {
      code: `p${id.replaceAll('-', '').slice(-12)}`,
      name: 'P',
      currency: 'USD',
      time_zone: 'UTC',
    }
    await db
      .insertInto('customers')
      .values({ ...facts, id, payer_id: payerId })
      .execute()
    return id
  }
  const payer = await make(null)
  const served = await make(payer)
  const itself = newId()
  await refuses('payer_is_another', async () => make(itself, itself))
  await refuses('payer_has_no_payer', async () => make(served))
  await refuses('payer_has_no_payer', async () =>
    db
      .updateTable('customers')
      .set({ payer_id: await make(null) })
      .where('id', '=', payer)
      .execute(),
  )
  await refuses('served_is_another', async () =>
    draftInvoice({ customer_id: payer, served_customer_id: payer }),
  )
})

test('no document corrects itself', async () => {
  const id = await draftInvoice()
  await refuses('corrects_another', async () =>
    db.updateTable('invoices').set({ corrects_id: id }).where('id', '=', id).execute(),
  )
})

test('an exchange rate is above nothing, between two currencies', async () => {
  const add = async (overrides: object) =>
    db
      .insertInto('exchange_rates')
      .values({
        id: newId(),
        base: 'EUR',
        quote: 'USD',
        rate: '1.1',
        source: 'ECB',
        valid_on: '2026-01-01',
        ...overrides,
      })
      .execute()
  await refuses('exchange_rates_rate_check', async () => add({ rate: '0' }))
  await refuses('exchange_rates_check', async () => add({ quote: 'EUR' }))
  await refuses('exchange_rates_base_check', async () => add({ base: 'euro' }))
  await refuses('exchange_rates_quote_check', async () => add({ quote: 'usd' }))
})

test('a test clock never goes back', async () => {
  const id = await seller.clock('2026-03-01T00:00:00Z')
  await refuses('clock_backwards', async () =>
    sql`update test_clocks set now_at = '2026-02-28T23:59:59Z' where id = ${id}`.execute(db),
  )
})

test('a server has one live instance of a name and of a port; a destroyed one frees both', async () => {
  await refuses('one_live_instance_per_name', async () =>
    copyRow(db, 'instances', sold.instance, { host_port: null }),
  )
  await refuses('one_live_instance_per_port', async () =>
    copyRow(db, 'instances', sold.instance, { name: 'other' }),
  )
  await copyRow(db, 'instances', sold.instance, { state: 'destroyed', destroyed_at: '2026-01-01' })
})

test('a subnet is one environment’s on a server, an environment has one there, and a pool is of small subnets of IPv4', async () => {
  const { server_id, environment_id, range } = await db
    .selectFrom('subnets')
    .selectAll()
    .executeTakeFirstOrThrow()
  const take = async (overrides: Partial<{ environment_id: string; range: string }>) =>
    db
      .insertInto('subnets')
      .values({ server_id, environment_id: newId(), range, ...overrides })
      .execute()
  await refuses('one_environment_per_subnet', async () => take({}))
  await refuses('one_environment_per_subnet', async () => take({ range: `${range.split('/')[0]}/32` }))
  await refuses('subnets_pkey', async () => take({ environment_id, range: '10.1.0.0/26' }))
  const pool = async (subnet_pool: string, subnet_prefix_length: number) =>
    db.updateTable('servers').set({ subnet_pool, subnet_prefix_length }).execute()
  await refuses('subnet_pool_of_small_subnets', async () => pool('10.0.0.0/16', 15))
  await refuses('subnet_pool_of_small_subnets', async () => pool('10.0.0.0/16', 29))
  await refuses('subnet_pool_of_small_subnets', async () => pool('10.0.0.0/24', 30))
  await refuses('subnet_pool_of_small_subnets', async () => pool('fd00::/16', 26))
  const found = async (port: number) => db.insertInto('foreign_ports').values({ server_id, port }).execute()
  await refuses('foreign_ports_port_check', async () => found(65_536))
})

test('a cause has one open task, and asking again brings it up to date', async () => {
  const task = {
    kind: 'build_failed',
    subjectKind: 'subscription',
    subjectId: newId(),
    subject: 'a',
  } as const
  await openTask(db, { ...task, detail: 'first' })
  await openTask(db, { ...task, detail: 'second' })
  const rows = await db
    .selectFrom('tasks')
    .select(['id', 'detail'])
    .where('subject_id', '=', task.subjectId)
    .execute()
  assert.deepEqual(
    rows.map((row) => row.detail),
    ['second'],
  )
  await refuses('one_open_task', async () => copyRow(db, 'tasks', rows[0]?.id ?? ''))
})

test('a line has one open change request, which is decided by somebody, and refused with a reason', async () => {
  const request = {
    id: newId(),
    subscription_id: sold.subscription,
    subscription_line_id: sold.line,
    first_line_id: sold.line,
    request_id: 'first',
    mode: 'manual' as const,
    asked: '{}',
    message: null,
    requested_by: 'the customer',
    preview: '{}',
  }
  const insert = async (change: object) =>
    db
      .insertInto('change_requests')
      .values({ ...request, ...change })
      .execute()
  await insert({})
  await refuses('one_open_change_request', async () => insert({ id: newId(), request_id: 'second' }))
  await refuses('change_requests_request_id_key', async () => insert({ id: newId(), ...refused('No.') }))
  for (const [constraint, change] of [
    ['change_request_decided', { decided_by: 'an operator' }],
    ['change_request_decided', { state: 'applied', decided_at: '2026-01-01T00:00:00Z' }],
    ['change_request_refused', refused(null)],
    ['change_request_refused', { ...refused('No.'), state: 'applied' }],
  ] as const)
    await refuses(constraint, async () => insert({ id: newId(), request_id: 'third', ...change }))
})

test('of a line one change waits, which is decided by somebody, and refused with a reason', async () => {
  const change = {
    id: newId(),
    subscription_id: sold.subscription,
    first_line_id: sold.line,
    request_id: 'first',
    asked: '{}',
    product: 'odoo-user',
    from_text: '9',
    to_text: '5',
    instance_id: sold.instance,
    limit_code: 'users',
    ceiling: '5',
    asked_by: 'an operator',
    asked_at: '2026-01-01T00:00:00Z',
    told_on: '2026-02-01',
  }
  const insert = async (other: object) =>
    db
      .insertInto('waiting_changes')
      .values({ ...change, ...other })
      .execute()
  await insert({})
  await refuses('one_waiting_change', async () => insert({ id: newId(), request_id: 'second' }))
  await refuses('waiting_changes_subscription_id_request_id_key', async () =>
    insert({ id: newId(), ...refused('No.') }),
  )
  for (const [constraint, other] of [
    ['waiting_change_decided', { decided_by: 'an operator' }],
    ['waiting_change_decided', { state: 'applied', decided_at: '2026-01-01T00:00:00Z' }],
    ['waiting_change_refused', refused(null)],
    ['waiting_change_refused', { ...refused('No.'), state: 'withdrawn' }],
    ['waiting_changes_state_check', { ...refused(null), state: 'lost' }],
    ['waiting_changes_ceiling_check', { ceiling: '-1' }],
  ] as const)
    await refuses(constraint, async () => insert({ id: newId(), request_id: 'third', ...other }))
})

function refused(reason: string | null) {
  return {
    state: 'refused',
    decided_by: 'an operator',
    decided_at: '2026-01-01T00:00:00Z',
    refused_reason: reason,
  }
}

test('a trial is used once by a customer, on each test clock once more; its end is told of one that there is', async () => {
  await sql`insert into used_trials select customer_id, line.product_id, null, order_id
    from subscriptions join subscription_lines line on line.subscription_id = subscriptions.id where line.id = ${sold.line}`.execute(
    db,
  )
  await refuses('one_trial_per_customer', async () =>
    sql`insert into used_trials select * from used_trials`.execute(db),
  )
  await refuses('trial_told', async () =>
    sql`update subscriptions set trial_told_at = now() where id = ${sold.subscription}`.execute(db),
  )
})

test('a change of a field is announced once for one command, and only where it is one', async () => {
  const announcement = {
    id: newId(),
    customer_id: await one('customers', sql`true`),
    subscription_id: sold.subscription,
    first_line_id: sold.line,
    field: 'price' as const,
    old_value: '1 USD',
    new_value: '2 USD',
    effective_on: '2026-02-01',
    request_id: 'dearer',
  }
  const insert = async (change: object) =>
    db
      .insertInto('announcements')
      .values({ ...announcement, ...change })
      .execute()
  await insert({})
  await refuses('announced_once', async () => insert({ id: newId() }))
  await refuses('announcements_check', async () =>
    insert({ id: newId(), field: 'product', new_value: '1 USD' }),
  )
  await refuses('announcements_field_check', async () => insert({ id: newId(), field: 'colour' }))
  await refuses('installation_announced_fields_check', async () =>
    sql`update installation set announced_fields = '{colour}'`.execute(db),
  )
})

test('a workflow start is in the outbox once', async () => {
  await refuses('outbox_key_key', async () =>
    sql`insert into outbox (kind, key, payload) select kind, key, payload from outbox`.execute(db),
  )
})

test('an event of the timeline never changes', async () => {
  await refuses('events_immutable', async () => sql`update events set data = '{}'`.execute(db))
})

test('no more is taken from a stock than there is, nor given back than was taken, and nothing is taken of nothing', async () => {
  const product = await one('products', sql`true`)
  const customer = await one('customers', sql`true`)
  await sql`insert into stocks (product_id, quantity, taken_quantity) values (${product}, 3, 3)`.execute(db)
  const set = async (column: string, value: number) =>
    await sql`update stocks set ${sql.ref(column)} = ${value} where product_id = ${product}`.execute(db)
  await refuses('stocks_check', async () => set('taken_quantity', 4))
  await refuses('stocks_check', async () => set('quantity', 2))
  await refuses('stocks_taken_quantity_check', async () => set('taken_quantity', -1))
  await refuses('stocks_limit_per_customer_check', async () => set('limit_per_customer', 0))
  await refuses('stock_takings_quantity_check', async () =>
    sql`insert into stock_takings (id, product_id, customer_id, subscription_id, quantity)
      values (${newId()}, ${product}, ${customer}, ${sold.subscription}, 0)`.execute(db),
  )
})

test('an add-on is sold beside another product, and ends with another line than its own', async () => {
  const product = await one('products', sql`true`)
  await refuses('add_ons_check', async () =>
    sql`insert into add_ons (product_id, main_product_id) values (${product}, ${product})`.execute(db),
  )
  await refuses('subscription_lines_check4', async () =>
    sql`update subscription_lines set main_line_id = first_line_id where id = ${sold.line}`.execute(db),
  )
})

test('options and order fields are lists', async () => {
  for (const column of ['options', 'order_fields']) {
    await refuses(`product_versions_${column}_check`, async () =>
      sql`insert into product_versions select (jsonb_populate_record(said, jsonb_build_object(
        'version', 99, 'effective_on', '2099-01-01', ${column}::text, '{}'::jsonb))).*
        from product_versions said limit 1`.execute(db),
    )
  }
})

test('an order waits once for a thing, and what is settled says how, when and by whom', async () => {
  const order = await one('orders', sql`true`)
  const hold = async (columns: string, values: string) =>
    await sql`insert into order_holds (id, order_id, kind, detail, opened_at${sql.raw(columns)})
      values (${newId()}, ${order}, 'acceptance', '', '2026-01-01'${sql.raw(values)})`.execute(db)
  await refuses('order_holds_end_check', async () => hold(', outcome', ", 'released'"))
  await refuses('order_holds_end_check', async () => hold(', settled_at', ", '2026-01-02'"))
  await refuses('order_holds_check', async () => hold(', expires_at', ", '2026-01-01'"))
  await hold('', '')
  await refuses('one_open_hold', async () => hold('', ''))
  const id = await copyRow(db, 'subscriptions', sold.subscription, { phase: 'ordered' })
  await refuses('order_held', async () =>
    sql`update subscriptions set phase = 'building' where id = ${id}`.execute(db),
  )
  await sql`delete from order_holds`.execute(db)
  await sql`update subscriptions set phase = 'building' where id = ${id}`.execute(db)
})

test('an order asks for its money once, and its money comes once and goes back at most once', async () => {
  const order = await one('orders', sql`true`)
  const ask = async (state: string, settledAt: string | null, totalMinor = 1_000) => {
    const id = newId()
    await sql`insert into payment_requests (id, order_id, currency, total_minor, state, opened_at, expires_at, settled_at)
      values (${id}, ${order}, 'USD', ${totalMinor}, ${state}, '2026-01-01', '2026-01-15', ${settledAt})`.execute(
      db,
    )
    return id
  }
  await refuses('payment_requests_total_minor_check', async () => ask('open', null, 0))
  await refuses('payment_requests_settled_check', async () => ask('paid', null))
  await ask('open', null)
  await refuses('one_open_payment_request', async () => ask('open', null))
  const request = await ask('paid', '2026-01-02')
  const move = async (kind: string, amountMinor: number, sentAt: string | null = null) =>
    await sql`insert into balance_movements (id, customer_id, currency, kind, amount_minor, payment_request_id, actor, recorded_at, sent_at)
      select ${newId()}, customer_id, currency, ${kind}, ${amountMinor}, ${request}, 'test', '2026-01-02', ${sentAt}
      from orders where id = ${order}`.execute(db)
  await refuses('balance_movements_sign_check', async () => move('payment', -1))
  await refuses('balance_movements_sign_check', async () => move('refund', 1))
  await refuses('balance_movements_check', async () => move('payment', 1_000, '2026-01-03'))
  for (const [kind, amountMinor] of [
    ['payment', 1_000],
    ['refund', -1_000],
  ] as const) {
    await move(kind, amountMinor)
    await refuses('balance_movements_payment_request_id_kind_key', async () => move(kind, amountMinor))
  }
  await sql`delete from balance_movements`.execute(db)
  await sql`delete from payment_requests`.execute(db)
})

test('an order was cancelled or has expired, and only what was sold expires', async () => {
  const order = await one('orders', sql`true`)
  const end = async (columns: string) =>
    await sql`update orders set ${sql.raw(columns)} where id = ${order}`.execute(db)
  await refuses('orders_end_check', async () => end('cancelled_at = now(), expired_at = now()'))
  await refuses('orders_expired_check', async () =>
    end("expired_at = now(), confirmed_at = null, expires_on = '2026-01-01', quote = '{}'"),
  )
})

test('what a version of a product or a kit says never changes, and what was sold by it is not left without', async () => {
  await refuses('product_versions_immutable', async () =>
    db.updateTable('product_versions').set({ name: 'Another' }).execute(),
  )
  await refuses('subscription_lines_product_version_fkey', async () =>
    sql`with builds as (delete from product_applications) delete from product_versions`.execute(db),
  )
  await refuses('kit_versions_immutable', async () =>
    db.updateTable('kit_versions').set({ name: 'Another' }).execute(),
  )
})

test('the first version has no day, for it holds always; every other has one', async () => {
  const productId = await one('products', sql`code = 'static-site'`)
  const insert = async (version: number, effectiveOn: string | null) =>
    await sql`
      insert into product_versions
      select (jsonb_populate_record(known, ${JSON.stringify({ version, effective_on: effectiveOn })}::jsonb)).*
      from product_versions known where product_id = ${productId} and version = 1`.execute(db)
  await refuses('first_version_holds_always', async () => insert(2, null))
  await refuses('product_versions_pkey', async () => insert(1, null))
  const kitId = await one('kits', sql`code = 'odoo-config-1'`)
  await refuses('first_kit_version_holds_always', async () =>
    db
      .insertInto('kit_versions')
      .values({ kit_id: kitId, version: 2, effective_on: null, name: 'Kit', price_product_id: null })
      .execute(),
  )
})

test('what is sold names a version that there is', async () => {
  await refuses('subscription_lines_product_version_fkey', async () =>
    db.updateTable('subscription_lines').set({ product_version: 99 }).where('id', '=', sold.line).execute(),
  )
  const ofKit = db.updateTable('subscriptions').where('id', '=', sold.subscription)
  await refuses('subscriptions_kit_version_fkey', async () => ofKit.set({ kit_version: 99 }).execute())
  await refuses('kit_has_version', async () => ofKit.set({ kit_version: null }).execute())
})

test('a build order is open once for a subscription', async () => {
  const open = async () =>
    await sql`insert into build_orders (id, subscription_id, kind, number)
      values (${newId()}, ${sold.subscription}, 'build', (select count(*) + 1 from build_orders))`.execute(db)
  await open()
  await refuses('one_open_build_order', open)
})

/** Every drawn path; each other pair is refused. */
const phasePaths: Record<string, string[]> = {
  ordered: ['building', 'active', 'unbuilding', 'ended'],
  building: ['active', 'unbuilding', 'ended'],
  active: ['suspended', 'unbuilding', 'ended'],
  suspended: ['active', 'unbuilding'],
  unbuilding: ['ended'],
  ended: [],
}

for (const [from, paths] of Object.entries(phasePaths)) {
  test(`a subscription that is ${from} becomes ${paths.join(' or ') || 'nothing else'}`, async () => {
    const id = await copyRow(db, 'subscriptions', sold.subscription, {
      phase: from,
      suspended_reason: 'unpaid',
      ended_at: from === 'ended' ? '2026-01-01' : null,
    })
    const reached = await reachable(subscriptionPhases, async (to, tx) => {
      const endedAt = to === 'ended' ? '2026-01-01' : null
      await sql`update subscriptions set phase = ${to}, ended_at = ${endedAt} where id = ${id}`.execute(tx)
    })
    assert.deepEqual(reached.toSorted(), [from, ...paths].toSorted())
  })
}

test('a last backup is one an instance, kept only when it was read back, and never deleted before its time', async () => {
  const buildOrder = newId()
  await sql`insert into build_orders (id, subscription_id, kind, number, state)
    values (${buildOrder}, ${sold.subscription}, 'unbuild', 90, 'failed')`.execute(db)
  const { rows } = await sql<{ server_id: string }>`
    select server_id from instances where id = ${sold.instance}`.execute(db)
  const backup = newId()
  const insert = async (id: string) =>
    sql`insert into backups (id, instance_id, server_id, build_order_id)
      values (${id}, ${sold.instance}, ${rows[0]?.server_id}, ${buildOrder})`.execute(db)
  const set = async (change: string) => sql`update backups set ${sql.raw(change)}`.execute(db)
  await insert(backup)
  await refuses('one_last_backup', async () => insert(newId()))
  await refuses('backups_state_check', async () => set(`state = 'lost'`))
  await refuses('backups_kept_check', async () => set(`state = 'kept', taken_at = now(), expires_at = now()`))
  await refuses('backups_failed_check', async () => set(`state = 'failed'`))
  await set(`state = 'kept', taken_at = now(), verified_at = now(), expires_at = now() + interval '30 days'`)
  await refuses('backups_deleted_check', async () => set(`state = 'deleted'`))
  await refuses('backups_deleted_check', async () => set(`state = 'deleted', deleted_at = now()`))
  await refuses('backups_reason_check', async () => set(`reason = 'whim', build_order_id = null`))
  await refuses('backups_cause_check', async () => set(`build_order_id = null`))
  await refuses('backups_cause_check', async () => set(`reason = 'before_restore'`))
  await refuseBadRestores(backup, rows[0]?.server_id ?? '')

  const copy = async (bytes: number, sha256: string, verifiedAt = '2026-01-02') =>
    sql`insert into backup_volumes (backup_id, volume, location, bytes, sha256, saved_at, verified_at)
      values (${backup}, 'data', 'folder:a/b', ${bytes}, ${sha256}, '2026-01-02', ${verifiedAt})`.execute(db)
  await refuses('backup_volumes_bytes_check', async () => copy(0, 'a'.repeat(64)))
  await refuses('backup_volumes_sha256_check', async () => copy(1, 'a'))
  await refuses('backup_volumes_check', async () => copy(1, 'a'.repeat(64), '2026-01-01'))
  await copy(1, 'a'.repeat(64))
  await refuses('backup_volumes_pkey', async () => copy(1, 'a'.repeat(64)))
  await refuses('instances_restored_from_backup_id_fkey', async () =>
    sql`update instances set restored_from_backup_id = ${newId()}`.execute(db),
  )
  await refuses('installation_backup_retention_days_check', async () =>
    sql`update installation set backup_retention_days = 0`.execute(db),
  )
  await sql`delete from backup_volumes`.execute(db)
  await sql`delete from backups`.execute(db)
  await sql`delete from build_orders where id = ${buildOrder}`.execute(db)
})

/** One restore in place at a time, told how it ended, with one backup of what was there before. */
async function refuseBadRestores(backup: string, serverId: string): Promise<void> {
  const insert = async (id: string, request: string) =>
    sql`insert into restores (id, subscription_id, instance_id, backup_id, request_id)
      values (${id}, ${sold.subscription}, ${sold.instance}, ${backup}, ${request})`.execute(db)
  const set = async (change: string) => sql`update restores set ${sql.raw(change)}`.execute(db)
  const restore = newId()
  await insert(restore, 'req_1')
  await refuses('one_running_restore', async () => insert(newId(), 'req_2'))
  await refuses('restores_state_check', async () => set(`state = 'lost', finished_at = now()`))
  await refuses('restores_finished_check', async () => set(`state = 'done'`))
  await refuses('restores_failure_check', async () => set(`state = 'undone', finished_at = now()`))
  await set(`state = 'done', finished_at = now()`)
  await refuses('one_restore_per_request', async () => insert(newId(), 'req_1'))
  const before = async () =>
    sql`insert into backups (id, instance_id, server_id, reason, restore_id)
      values (${newId()}, ${sold.instance}, ${serverId}, 'before_restore', ${restore})`.execute(db)
  await before()
  await refuses('one_backup_before_restore', before)
  await sql`delete from backups where restore_id is not null`.execute(db)
  await sql`delete from restores`.execute(db)
}

test('what has ended is reinstated once at a time', async () => {
  const from = { reinstated_from_id: sold.subscription }
  const ended = { ...from, phase: 'ended', ended_at: '2026-01-01' }
  await copyRow(db, 'subscriptions', sold.subscription, ended)
  await copyRow(db, 'subscriptions', sold.subscription, from)
  await refuses('one_live_reinstatement', async () => copyRow(db, 'subscriptions', sold.subscription, from))
})

const instancePaths: Record<InstanceState, InstanceState[]> = {
  ordered: ['building', 'cancelling', 'destroyed'],
  building: ['running', 'failed', 'cancelling'],
  running: ['limited', 'suspended', 'cancelling'],
  limited: ['running', 'suspended', 'cancelling'],
  suspended: ['running', 'cancelling'],
  cancelling: ['destroyed', 'failed'],
  failed: ['building', 'cancelling', 'destroyed'],
  destroyed: [],
}
const instanceStates: readonly InstanceState[] = [
  'ordered',
  'building',
  'running',
  'limited',
  'suspended',
  'cancelling',
  'failed',
  'destroyed',
]

for (const from of instanceStates) {
  const paths = instancePaths[from]
  test(`an instance that is ${from} becomes ${paths.join(' or ') || 'nothing else'}`, async () => {
    const id = await copyRow(db, 'instances', sold.instance, {
      name: `from-${from}`,
      host_port: null,
      state: from,
      destroyed_at: from === 'destroyed' ? '2026-01-01' : null,
    })
    const reached = await reachable(instanceStates, async (to, tx) => {
      const destroyedAt = to === 'destroyed' ? '2026-01-01' : null
      await sql`update instances set state = ${to}, destroyed_at = ${destroyedAt} where id = ${id}`.execute(
        tx,
      )
    })
    assert.deepEqual(reached.toSorted(), [from, ...paths].toSorted())
  })
}

/** The states that can be reached in one step; each try is rolled back. */
async function reachable<State extends string>(
  states: readonly State[],
  move: (to: State, tx: Db) => Promise<void>,
): Promise<State[]> {
  const reached: State[] = []
  for (const to of states) {
    const rolledBack = new Error('rolled back')
    try {
      await db.transaction().execute(async (tx) => {
        await move(to, tx)
        throw rolledBack
      })
    } catch (error) {
      if (error === rolledBack) reached.push(to)
      else assert.match(String(error), /cannot go from/)
    }
  }
  return reached
}

test('a template has a code of its own, and what is agreed is an object', async () => {
  const insert = (code: string, defaults: string) =>
    sql`insert into subscription_templates (id, code, name, defaults)
      values (${newId()}, ${code}, 'Yearly', ${defaults}::jsonb)`.execute(db)
  await insert('yearly', '{}')
  await refuses('one_template_per_code', async () => insert('yearly', '{}'))
  await refuses('subscription_templates_code_check', async () => insert('Yearly', '{}'))
  await refuses('subscription_templates_defaults_check', async () => insert('none', '[]'))
  const line = await one('order_lines', sql`true`)
  await refuses('order_lines_agreed_check', async () =>
    sql`update order_lines set agreed = '[]' where id = ${line}`.execute(db),
  )
})

test('a subscription that is suspended for a reason does not run, and each reason stands once', async () => {
  const id = await copyRow(db, 'subscriptions', sold.subscription, {
    phase: 'suspended',
    suspended_reason: 'asked for',
    external_id: null,
  })
  const insert = (code: string, lifted: { by: string | null; at: string | null } = { by: null, at: null }) =>
    sql`insert into suspensions (id, subscription_id, code, reason, set_by, set_at, lifted_by, lifted_at)
      values (${newId()}, ${id}, ${code}, 'why', 'key_1', '2026-01-01', ${lifted.by}, ${lifted.at})`.execute(
      db,
    )
  await insert('debt')
  await refuses('one_open_suspension', async () => insert('debt'))
  await refuses('suspensions_code_check', async () => insert('Debt'))
  await refuses('suspensions_lifted_check', async () => insert('abuse', { by: null, at: '2026-01-02' }))
  await refuses('subscription_suspended', async () =>
    sql`update subscriptions set phase = 'active' where id = ${id}`.execute(db),
  )
})

test('no reservation is more than its server offers, or on one that takes nothing new', async () => {
  const { rows } = await sql<{
    server_id: string
  }>`select server_id from instances where id = ${sold.instance}`.execute(db)
  const server = rows[0]?.server_id ?? ''
  const set = async (column: string, value: unknown) =>
    sql`update servers set ${sql.ref(column)} = ${value} where id = ${server}`.execute(db)
  const reserve = async () => {
    const instance = await copyRow(db, 'instances', sold.instance, { name: `n-${newId()}`, host_port: null })
    await sql`insert into reservations (instance_id, server_id, memory_mib, cpus, disk_mib)
      values (${instance}, ${server}, 512, 0.5, 100)`.execute(db)
  }
  const taken = { memory_mib: 1024, cpus: 2, most_instances: 1, disk_mib: 50 }
  for (const [column, count] of Object.entries(taken)) {
    await set(column, count)
    await refuses('reservation_capacity', reserve)
    await set(column, null)
  }
  await set('memory_mib', 1919)
  await set('efficiency', 0.8)
  await refuses('reservation_capacity', reserve)
  await set('memory_mib', 1920)
  await reserve()
  await refuses('reservation_capacity', async () =>
    sql`update reservations set memory_mib = memory_mib + 1 where instance_id = ${sold.instance}`.execute(db),
  )
  await sql`update reservations set memory_mib = 512 where instance_id = ${sold.instance}`.execute(db)
  await set('draining_since', '2026-04-01T09:00:00Z')
  await refuses('reservation_server_open', reserve)
  await set('draining_since', null)
  await refuses('server_removed_empty', async () => set('removed_at', '2026-04-01T09:00:00Z'))
  await refuses('servers_efficiency_check', async () => set('efficiency', 0))
  await refuses('servers_memory_mib_check', async () => set('memory_mib', 0))
  await refuses('servers_cpus_check', async () => set('cpus', 0))
  await refuses('servers_disk_mib_check', async () => set('disk_mib', 0))
  await refuses('servers_most_instances_check', async () => set('most_instances', -1))
  for (const column of ['memory_mib', 'cpus', 'disk_mib'])
    await refuses(`reservations_${column}_check`, async () =>
      sql`update reservations set ${sql.ref(column)} = -1 where instance_id = ${sold.instance}`.execute(db),
    )
  await sql`update servers set memory_mib = null, efficiency = 1 where id = ${server}`.execute(db)
})

test('a shared metric is one of its code, can be measured, and never comes to measure another thing', async () => {
  const insert = (values: Record<string, unknown> = {}) => {
    const row = {
      id: newId(),
      code: 'held',
      title: 'Held',
      unit: 'GiB',
      kind: 'gauge',
      aggregation: 'max',
      level: 'volume',
      ...values,
    }
    return sql`insert into metrics (${sql.join(Object.keys(row).map((name) => sql.ref(name)))}) values (${sql.join(Object.values(row))})`.execute(db)
  }
  await insert()
  await refuses('metrics_code_key', async () => insert())
  await refuses('metrics_code_check', async () => insert({ code: 'Held' }))
  await refuses('metrics_title_check', async () => insert({ code: 'a', title: '' }))
  await refuses('metrics_kind_check', async () => insert({ code: 'a', kind: 'number', aggregation: 'sum' }))
  await refuses('metrics_level_check', async () => insert({ code: 'a', level: 'planet' }))
  await refuses('metrics_source_type_check', async () => insert({ code: 'a', source_type: 'Volume' }))
  await refuses('metrics_percent_check', async () => insert({ code: 'a', aggregation: 'percentile', percent: 101 }))
  await refuses('metrics_bucket_seconds_check', async () => insert({ code: 'a', aggregation: 'bucket_max', bucket_seconds: 1 }))
  await refuses('metrics_check', async () => insert({ code: 'a', percent: 95 }))
  await refuses('metrics_check1', async () => insert({ code: 'a', bucket_seconds: 60 }))
  await refuses('metrics_check2', async () => insert({ code: 'a', kind: 'counter' }))
  await refuses('metrics_check3', async () => insert({ code: 'a', kind: 'event', aggregation: 'sum', source_type: 'command' }))
  await sql`update metrics set title = 'Disk held' where code = 'held'`.execute(db)
  await refuses('metric_measure_fixed', async () => sql`update metrics set unit = 'MiB' where code = 'held'`.execute(db))
}) // prettier-ignore

test('what was used over a span began before it ended', async () => {
  const used = sql`insert into usage_events (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at, started_at)
    values (${newId()}, 'test', 'span', ${sold.subscription}, 'network', 1, 'GiB', '2026-04-01', '2026-04-01')`
  await refuses('usage_span_in_order', async () => used.execute(db))
})

test('a data source is one of its code, at a host that can be one, with a database where its kind has them', async () => {
  const insert = (values: Record<string, unknown> = {}) => {
    const row = {
      id: newId(),
      code: 'warehouse',
      kind: 'postgresql',
      host: 'db.example.com',
      port: 5432,
      database_name: 'shop',
      username: 'reader',
      has_tls: true,
      key_id: 'k',
      sealed: '\\x00',
      set_at: '2026-04-01T09:00:00Z',
      set_by: 'test',
      ...values,
    }
    return sql`insert into data_sources (${sql.join(Object.keys(row).map((name) => sql.ref(name)))}) values (${sql.join(Object.values(row))})`.execute(db)
  }
  await insert()
  await refuses('data_sources_code_key', async () => insert())
  await refuses('data_sources_code_check', async () => insert({ code: 'A' }))
  await refuses('data_sources_kind_check', async () => insert({ code: 'a', kind: 'oracle' }))
  await refuses('data_sources_host_check', async () => insert({ code: 'a', host: 'Db' }))
  await refuses('data_sources_port_check', async () => insert({ code: 'a', port: 0 }))
  await refuses('data_sources_username_check', async () => insert({ code: 'a', username: '' }))
  await refuses('data_sources_database_name_check', async () => insert({ code: 'a', database_name: '' }))
  await refuses('data_sources_check', async () => insert({ code: 'a', database_name: null }))
  await refuses('data_sources_check1', async () => insert({ code: 'a', has_tls: false, certificate_authority: 'PEM' }))
}) // prettier-ignore

test('a registry has one login, its host is written in one way, and an image’s digest is one', async () => {
  const insert = (host: string, username = 'acme') =>
    sql`insert into registries (id, host, username, key_id, sealed, set_at, set_by)
      values (${newId()}, ${host}, ${username}, 'k', '\\x00', now(), 'test')`.execute(db)
  await insert('ghcr.io')
  await refuses('registries_host_key', async () => insert('ghcr.io'))
  await refuses('registries_host_check', async () => insert('Ghcr.io'))
  await refuses('registries_username_check', async () => insert('quay.io', ''))
  const image = (digest: string | null) =>
    sql`insert into instance_images (instance_id, service, reference, repository_digest, image_id)
      values (${sold.instance}, 'web', 'web:1', ${digest}, 'sha256:1')`.execute(db)
  await refuses('instance_images_repository_digest_check', async () => image('latest'))
  await image(null)
  await refuses('instance_images_pkey', async () => image(null))
})

test('what is changed of an instance in place has its form', async () => {
  const set = (change: RawBuilder<unknown>) =>
    sql`update instances set ${change} where id = ${sold.instance}`.execute(db)
  await refuses('instances_display_name_check', async () => set(sql`display_name = ''`))
  await refuses('instances_container_limits_check', async () => set(sql`container_limits = '[]'`))
  await refuses('instances_service_generations_check', async () => set(sql`service_generations = '[]'`))
  await refuses('instances_observed_differences_check', async () => set(sql`observed_differences = '{}'`))
  await refuses('instances_observed_containers_check', async () => set(sql`observed_containers = '{}'`))
  await refuses('instances_placed_because_check', async () => set(sql`placed_because = repeat('x', 501)`))
  await refuses('part_of_another', async () => set(sql`parent_instance_id = id`))
})

test('what was taken over has one owner, until its instance is gone', async () => {
  const server = await one('servers', sql`true`)
  const other = await copyRow(db, 'instances', sold.instance, { name: `n-${newId()}`, host_port: null })
  const take = async (change: Record<string, unknown>) => {
    const row = {
      instance_id: other,
      server_id: server,
      kind: 'container',
      component: newId(),
      name: 'web',
      external_id: 'a'.repeat(64),
      ...change,
    }
    await insertRow('taken_over_objects', row)
  }
  await refuses('taken_over_objects_kind_check', async () => take({ kind: 'network' }))
  await refuses('taken_over_objects_check', async () => take({ external_id: 'short' }))
  await refuses('taken_over_objects_check', async () => take({ kind: 'volume', external_id: 'other' }))
  await take({})
  await refuses('one_owner_per_object', async () => take({ instance_id: sold.instance }))
  for (const state of ['building', 'failed', 'cancelling'])
    await sql`update instances set state = ${state} where id = ${other}`.execute(db)
  await sql`update instances set state = 'destroyed', destroyed_at = now() where id = ${other}`.execute(db)
  await take({ instance_id: sold.instance })
})

test('an icon is a picture in a data URL', async () => {
  const set = async (icon: string) => await sql`update application_versions set icon = ${icon}`.execute(db)
  await refuses('application_versions_icon_check', async () => set('data:image/svg+xml;base64,PHN2Zz4='))
  await refuses('application_versions_icon_check', async () =>
    set(`data:image/png;base64,${'A'.repeat(100_000)}`),
  )
})

test('of an instance each want is one link, which has an offer and its reason exactly where it was chosen', async () => {
  const offering = await copyRow(db, 'instances', sold.instance, { name: `n-${newId()}`, host_port: null })
  const insert = async (change: Record<string, unknown>) => {
    const row = {
      id: newId(),
      wanting_instance_id: sold.instance,
      name: newId(),
      kind: 'database',
      is_required: true,
      offering_instance_id: offering,
      reason: 'shared' as const,
      state: 'planned' as const,
      ...change,
    }
    await db.insertInto('links').values(row).execute()
  }
  await insert({ name: 'database' })
  await refuses('one_link_per_want', async () => insert({ name: 'database' }))
  await refuses('links_offer_check', async () => insert({ reason: null }))
  await refuses('links_reason_check', async () => insert({ reason: 'liked' }))
  await refuses('links_state_check', async () => insert({ state: 'lost' }))
  const none = { offering_instance_id: null, reason: null }
  await refuses('links_waiting_check', async () => insert({ ...none, state: 'waiting' }))
  await refuses('links_offered_check', async () => insert({ ...none, state: 'planned' }))
  await refuses('links_made_check', async () => insert({ state: 'made' }))
  await refuses('links_taken_back_check', async () => insert({ state: 'taken_back' }))
  await refuses('links_check', async () => insert({ offering_instance_id: sold.instance }))
  const { rows } = await sql<{ server_id: string }>`
    select server_id from instances where id = ${sold.instance}`.execute(db)
  const prefer = async () =>
    sql`insert into preferred_offers (server_id, kind, instance_id, preferred_by)
      values (${rows[0]?.server_id}, 'database', ${offering}, 'key_1')`.execute(db)
  await prefer()
  await refuses('preferred_offers_pkey', prefer)
})

test('what was asked of an instance is written once, ends with what came of it, and forgets what was secret', async () => {
  const insert = (columns: Record<string, unknown>) => {
    const row = {
      instance_id: sold.instance,
      request_id: newId(),
      kind: 'restart',
      actor: 'key_1',
      ...columns,
    }
    return insertRow('instance_commands', row)
  }
  await insert({ request_id: 'req_once' })
  await refuses('instance_commands_pkey', async () => insert({ request_id: 'req_once' }))
  await refuses('instance_commands_kind_check', async () => insert({ kind: 'dance' }))
  await refuses('instance_commands_state_check', async () => insert({ state: 'lost' }))
  await refuses('instance_commands_answers_check', async () => insert({ answers: '[]' }))
  await refuses('instance_commands_subject_check', async () => insert({ kind: 'action' }))
  await refuses('instance_commands_sealed_check', async () => insert({ key_id: 'key' }))
  await refuses('instance_commands_finished_check', async () => insert({ state: 'done' }))
  await refuses('instance_commands_refused_check', async () =>
    insert({ state: 'refused', finished_at: '2026-01-01' }),
  )
  const sealed = { key_id: 'key', sealed: Buffer.from('sealed') }
  await refuses('instance_commands_forgotten_check', async () =>
    insert({ ...sealed, state: 'done', finished_at: '2026-01-01' }),
  )
})

test('a secret has one value at a time, and one request gives it one', async () => {
  const insert = (version: number, rotatedBy: string | null, retiredAt: string | null = null) =>
    sql`insert into secrets (instance_id, name, version, key_id, sealed, rotated_by, retired_at)
      values (${sold.instance}, 'ONE_VALUE', ${version}, 'key', 'x', ${rotatedBy}, ${retiredAt})`.execute(db)
  await insert(1, null)
  await refuses('one_current_secret', async () => insert(2, 'req_1'))
  await insert(2, 'req_1', '2026-01-01')
  await refuses('one_rotation_per_request', async () => insert(3, 'req_1', '2026-01-01'))
})

test('a warning is given once for one share of one limit or cap in one billing period', async () => {
  const warning = (overrides: Record<string, unknown>) => ({
    id: newId(),
    subscription_id: sold.subscription,
    kind: 'spend' as const,
    first_line_id: null,
    subject: 'customer',
    threshold: '80 %',
    period_starts_on: '2026-01-01',
    used: '16',
    ceiling: '20',
    unit: 'USD',
    warned_at: '2026-01-05T00:00:00Z',
    ...overrides,
  })
  const warn = async (overrides: Record<string, unknown> = {}) =>
    await db.insertInto('usage_warnings').values(warning(overrides)).execute()
  await warn()
  await warn({ period_starts_on: '2026-02-01' })
  await refuses('warned_once', async () => await warn({ used: '18' }))
  await refuses('usage_warnings_check', async () => await warn({ kind: 'limit', subject: 'users' }))
})

test('only a cap that stops holds what runs', async () => {
  const cap = async (effect: 'alert' | 'stop', amountMinor = 2_000) =>
    await db
      .insertInto('spend_caps')
      .values({
        subscription_id: sold.subscription,
        set_by: 'operator',
        amount_minor: amountMinor,
        effect,
        alerts: '[]',
        actor: 'test',
        set_at: '2026-01-05T00:00:00Z',
        held_since: '2026-01-05T00:00:00Z',
      })
      .execute()
  await refuses('only_a_stop_holds', async () => await cap('alert'))
  await refuses('spend_caps_amount_minor_check', async () => await cap('stop', 0))
})

test('the features of a product are named values', async () => {
  await refuses('product_versions_features_check', async () =>
    sql`insert into product_versions
      select (jsonb_populate_record(source, '{"version": 99, "effective_on": "2030-01-01", "features": ["sso"]}')).*
      from product_versions as source limit 1`.execute(db),
  )
})

test('what a peer was asked is answered once, with its signed word, or refused with a reason', async () => {
  const peerId = await insertPeer(db)
  const ask = async (of: Record<string, unknown> = {}) => {
    const asked = { peer_id: peerId, is_asked_here: true, key: newId(), kind: 'proof', question: '{}' }
    const row = { id: newId(), ...asked, asked_by: 'tester', asked_at: '2026-03-01T00:00:00Z', ...of }
    await insertRow('peer_questions', row)
    return row.id
  }
  const finished = { finished_at: '2026-03-01T00:00:01Z' }
  const answered = { answer: '{}', evidence: '{}' }
  await refuses('peer_questions_key_check', async () => ask({ key: '' }))
  await refuses('peer_questions_kind_check', async () => ask({ kind: 'weather' }))
  await refuses('usage_of_an_invoice', async () => ask({ kind: 'usage' }))
  await refuses('answered_with_evidence', async () => ask({ ...finished, answer: '{}' }))
  await refuses('refused_with_a_reason', async () => ask({ ...finished, refusal_code: 'peer_refuses' }))
  await refuses('finished_one_way', async () => ask(finished))
  await refuses('finished_one_way', async () => ask(answered))
  const id = await ask({ key: 'once' })
  await refuses('asked_once', async () => ask({ key: 'once' }))
  const question = () => db.updateTable('peer_questions').where('id', '=', id)
  await question()
    .set({ ...answered, ...finished })
    .execute()
  await refuses('peer_questions_immutable', async () => question().set({ answer: '{"a":1}' }).execute())
  await refuses('peer_questions_immutable', async () => sql`truncate peer_questions`.execute(db))
})

test('what a peer has of ours is kept and settled once, and its number is given to nothing else', async () => {
  const peerId = await insertPeer(db)
  const lost = async (of: Record<string, unknown> = {}) => {
    const number = `INV-9${newId().slice(-6)}`
    const said = { kind: 'invoice', number, currency: 'USD', issued_on: '2026-03-01', total_minor: 1_200 }
    const known = { sha256: Buffer.alloc(32), content: '{}', series: null, sequence: null }
    const row = {
      id: newId(),
      peer_id: peerId,
      document_id: newId(),
      ...said,
      ...known,
      found_at: 'now',
      ...of,
    }
    await insertRow('lost_documents', row)
    return { id: row.id, number }
  }
  await refuses('lost_documents_kind_check', async () => lost({ kind: 'letter' }))
  await refuses('lost_documents_sha256_check', async () => lost({ sha256: Buffer.alloc(31) }))
  await refuses('lost_documents_sequence_check', async () => lost({ series: 'INV', sequence: 0 }))
  await refuses('lost_documents_settlement_check', async () => lost({ settlement: 'maybe' }))
  await refuses('number_of_a_series', async () => lost({ series: 'INV' }))
  await refuses('settled_by_somebody', async () => lost({ settlement: 'kept' }))
  const documentId = newId()
  const { id, number } = await lost({ document_id: documentId })
  await refuses('lost_once', async () => lost({ document_id: documentId }))
  const row = () => db.updateTable('lost_documents').where('id', '=', id)
  await refuses('lost_document_kept', async () => row().set({ total_minor: 1 }).execute())
  // As if it was not finalized yet.
  await refuses('number_given_before', async () =>
    db.transaction().execute(async (tx) => {
      await sql`alter table invoices disable trigger invoice_finalized`.execute(tx)
      await sql`update invoices set number = ${number} where id = ${sold.invoice}`.execute(tx)
    }),
  )
  const settled = { settled_at: '2026-03-02T00:00:00Z', settled_by: 'tester', reason: 'restored' }
  await row()
    .set({ settlement: 'kept', ...settled })
    .execute()
  await refuses('lost_document_kept', async () => row().set({ settlement: 'dismissed' }).execute())
  await refuses('lost_document_kept', async () =>
    db.deleteFrom('lost_documents').where('id', '=', id).execute(),
  )
})

test('numbers are skipped in order, for a reason, for ever', async () => {
  const skip = async (of: Record<string, unknown> = {}) =>
    await insertRow('skipped_numbers', {
      series: 'INV',
      first: 900,
      last: 901,
      reason: 'restored',
      skipped_at: 'now',
      skipped_by: 'tester',
      ...of,
    })
  await refuses('skipped_numbers_first_check', async () => skip({ first: 0 }))
  await refuses('skipped_in_order', async () => skip({ last: 899 }))
  await refuses('skipped_numbers_reason_check', async () => skip({ reason: '' }))
  await refuses('skipped_numbers_series_fkey', async () => skip({ series: 'NONE' }))
  await db
    .transaction()
    .execute(async (tx) => {
      await sql`insert into skipped_numbers values ('INV', 900, 901, 'restored', now(), 'tester')`.execute(tx)
      await refuses('skipped_numbers_immutable', async () =>
        sql`update skipped_numbers set last = 902`.execute(tx),
      )
      throw new Error('nothing of it stays')
    })
    .catch((error: unknown) => assert.match(String(error), /nothing of it stays/))
})

test('a document that was refused for its number is accepted by somebody', async () => {
  const peerId = await insertPeer(db)
  const refuse = async (of: Record<string, unknown> = {}) =>
    await insertRow('refused_documents', {
      peer_id: peerId,
      document_id: newId(),
      sha256: Buffer.alloc(32),
      number: 'UP-1',
      refused_at: 'now',
      ...of,
    })
  await refuses('refused_documents_sha256_check', async () => refuse({ sha256: Buffer.alloc(31) }))
  await refuses('accepted_by_somebody', async () => refuse({ accepted_at: 'now' }))
  await refuses('peers_told_sequence_check', async () =>
    db.updateTable('peers').set({ told_sequence: 0 }).where('id', '=', peerId).execute(),
  )
})

test('a peer is whole, one per customer and installation; what it is sent and what it sent stays', async () => {
  const peer = async (of: Record<string, unknown>) => await insertPeer(db, of)
  const customer = await one('customers', sql`true`)
  await refuses('peers_role_check', async () => peer({ role: 'friend' }))
  await refuses('peers_state_check', async () => peer({ state: 'odd' }))
  await refuses('peers_currency_check', async () => peer({ currency: 'usd' }))
  await refuses('customer_of_a_customer', async () => peer({ customer_id: customer }))
  await refuses('paired_with_somebody', async () => peer({ name: null }))
  await refuses('active_once_paired', async () => peer({ paired_at: null, installation_id: null }))
  await refuses('halted_for_a_reason', async () => peer({ state: 'halted' }))
  await refuses('closed_at_the_end', async () => peer({ state: 'closed' }))
  await refuses('code_sealed_whole', async () => peer({ code_key_id: 'key' }))
  await refuses('above_of_a_supplier', async () => peer({ role: 'customer', above: ['hash'] }))
  await refuses('billed_as_of_a_supplier', async () => peer({ role: 'customer', billed_as: 'downstream' }))
  await refuses('peers_billed_as_check', async () => peer({ billed_as: '' }))
  await refuses('above_bounded', async () => peer({ above: Array.from({ length: 1_001 }, () => 'hash') }))
  await refuses('closed_for_a_reason', async () => peer({ closed_reason: 'It ended.' }))
  await refuses('built_for_a_customer', async () => peer({ instance_id: sold.instance }))
  await refuses('peers_instance_id_fkey', async () =>
    peer({ role: 'customer', customer_id: customer, instance_id: newId() }),
  )
  const id = await peer({ role: 'customer', customer_id: customer, instance_id: sold.instance })
  await refuses('one_peer_per_instance', async () =>
    peer({ role: 'customer', customer_id: null, instance_id: sold.instance }),
  )
  await refuses('one_peer_per_customer', async () => peer({ role: 'customer', customer_id: customer }))
  const { installation_id: installation, other_peer_id: other } = await db
    .selectFrom('peers')
    .select(['installation_id', 'other_peer_id'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  await refuses('one_peer_per_installation', async () =>
    peer({ role: 'customer', installation_id: installation }),
  )
  await refuses('peers_other_peer_id_key', async () => peer({ other_peer_id: other }))
  const key = (of: { bytes: number; own: boolean }) =>
    sql`insert into peer_keys (id, peer_id, is_own, public_key, made_at)
      values (${newId()}, ${id}, ${of.own}, ${Buffer.alloc(of.bytes)}, now())`.execute(db)
  await refuses('peer_keys_public_key_check', async () => key({ bytes: 31, own: false }))
  await refuses('own_key_sealed', async () => key({ bytes: 32, own: true }))
  const nonce = (text: string) =>
    sql`insert into peer_nonces (peer_id, nonce, seen_at) values (${id}, ${text}, now())`.execute(db)
  await refuses('peer_nonces_nonce_check', async () => nonce('short'))
  const queue = (sequence: number, kind = 'document', subject: string | null = sold.invoice) =>
    sql`insert into peer_messages (peer_id, sequence, kind, subject_id) values (${id}, ${sequence}, ${kind}, ${subject})`.execute(
      db,
    )
  await refuses('peer_messages_sequence_check', async () => queue(0))
  await refuses('peer_messages_kind_check', async () => queue(1, 'A kind'))
  await refuses('message_says_something', async () => queue(1, 'document', null))
  await queue(1)
  await refuses('sent_once', async () => queue(2))
  const messages = () => db.updateTable('peer_messages').where('peer_id', '=', id)
  await refuses('delivered_as_sent', async () => messages().set({ delivered_at: '2026-01-01' }).execute())
  await refuses('peer_messages_sha256_check', async () =>
    messages()
      .set({ sha256: Buffer.alloc(31) })
      .execute(),
  )
  await refuses('peer_message_kept', async () => messages().set({ sequence: 0 }).execute())
  await refuses('peer_message_kept', async () => messages().set({ content: '{}' }).execute())
  await messages()
    .set({ sha256: Buffer.alloc(32) })
    .execute()
  await refuses('peer_message_kept', async () =>
    messages()
      .set({ sha256: Buffer.alloc(32, 1) })
      .execute(),
  )
  await refuses('peer_message_kept', async () =>
    db.deleteFrom('peer_messages').where('peer_id', '=', id).execute(),
  )
  await refuses('peer_messages_needs_check', async () => messages().set({ needs: 'A size' }).execute())
  const delivered = async (delivered_at: string | null, more: { sequence?: number } = {}) =>
    await messages()
      .set({ delivered_at, ...more })
      .execute()
  await delivered('2026-01-01')
  await refuses('peer_message_kept', async () => delivered('2026-01-02'))
  await refuses('peer_message_kept', async () => delivered(null, { sequence: 9 }))
  // It waits again, where the other side has lost it.
  await delivered(null)
  const file = (sequence: number) =>
    sql`insert into peer_messages (peer_id, sequence, kind, subject_id, content)
      values (${id}, ${sequence}, 'file', ${sold.invoice}, '{"media_type": "application/pdf"}')`.execute(db)
  await file(2)
  await refuses('file_sent_once', async () => file(3))
  const peers = (different: object) => db.updateTable('peers').set(different).where('id', '=', id).execute()
  await refuses('peers_other_version_check', async () => peers({ other_version: 0 }))
  await refuses('peers_sent_sequence_check', async () => peers({ sent_sequence: -1 }))
  await refuses('peers_files_sequence_check', async () => peers({ files_sequence: -1 }))
  await refuses('peers_waiting_reason_check', async () => peers({ waiting_reason: '' }))
})

test('what came from a peer is known by its number for good', async () => {
  const peerId = await insertPeer(db)
  const receive = async (different: object = {}) =>
    await db
      .insertInto('received_peer_messages')
      .values({
        peer_id: peerId,
        sequence: 1,
        kind: 'document',
        sha256: Buffer.alloc(32),
        received_at: '2026-03-01T00:00:00Z',
        ...different,
      })
      .execute()
  await refuses('received_peer_messages_sequence_check', async () => receive({ sequence: 0 }))
  await refuses('received_peer_messages_kind_check', async () => receive({ kind: '' }))
  await refuses('received_peer_messages_sha256_check', async () => receive({ sha256: Buffer.alloc(1) }))
  await receive()
  await refuses('received_peer_messages_pkey', async () => receive())
  await assert.rejects(db.deleteFrom('received_peer_messages').where('peer_id', '=', peerId).execute())
})

test('a key of a peer stays what it is, one follows another, and refusals are counted by cause and day', async () => {
  const id = await insertPeer(db)
  const key = async (of: { own: boolean; holdsFrom: string | null }) => {
    const keyId = newId()
    const sealed = of.own ? Buffer.alloc(1) : null
    await sql`insert into peer_keys (id, peer_id, is_own, public_key, key_id, sealed, made_at, holds_from)
      values (${keyId}, ${id}, ${of.own}, ${Buffer.alloc(32)}, ${of.own ? 'key' : null}, ${sealed}, now(), ${of.holdsFrom})`.execute(
      db,
    )
    return keyId
  }
  await refuses('their_key_holds', async () => key({ own: false, holdsFrom: null }))
  const next = await key({ own: true, holdsFrom: null })
  await refuses('one_next_key_per_peer', async () => key({ own: true, holdsFrom: null }))
  const keys = () => db.updateTable('peer_keys').where('id', '=', next)
  await refuses('peer_key_kept', async () =>
    keys()
      .set({ public_key: Buffer.alloc(32, 1) })
      .execute(),
  )
  await keys().set({ revoked_at: '2026-03-01T00:00:00Z' }).execute()
  await refuses('peer_key_kept', async () => keys().set({ revoked_at: null }).execute())
  await refuses('peer_key_kept', async () => db.deleteFrom('peer_keys').where('id', '=', next).execute())
  const refusal = (different: Record<string, unknown> = {}) =>
    db
      .insertInto('peer_refusals')
      .values({
        peer_id: null,
        code: 'x',
        day: '2026-03-01',
        first_at: '2026-03-01T00:00:00Z',
        last_at: '2026-03-01T00:00:00Z',
        detail: '',
        ...different,
      })
      .execute()
  await refusal()
  await refuses('one_refusal_per_day', async () => refusal())
  await refuses('peer_refusals_count_check', async () => refusal({ code: 'y', count: 0 }))
  await refuses('peer_refusals_detail_check', async () => refusal({ code: 'y', detail: 'x'.repeat(1_001) }))
})

test('a file of a supplier is there with its hash, or with a reason why not, and never changes', async () => {
  const file = {
    peer_id: await insertPeer(db),
    document_id: newId(),
    media_type: 'application/pdf' as const,
    name: 'UP-1.pdf',
    sha256: Buffer.alloc(32),
    content: Buffer.alloc(1),
    missing_reason: null,
    received_at: '2026-03-01T00:00:00Z',
  }
  const insert = async (different: object) =>
    await db
      .insertInto('supplier_files')
      .values({ ...file, ...different })
      .execute()
  await refuses('supplier_files_media_type_check', async () => insert({ media_type: 'text/html' }))
  await refuses('supplier_files_name_check', async () => insert({ name: '../x' }))
  await refuses('supplier_files_sha256_check', async () => insert({ sha256: Buffer.alloc(31) }))
  await refuses('supplier_files_missing_reason_check', async () =>
    insert({ sha256: null, content: null, missing_reason: '' }),
  )
  await refuses('file_or_reason', async () => insert({ missing_reason: 'none' }))
  await refuses('file_or_reason', async () => insert({ sha256: null }))
  await insert({})
  await refuses('supplier_files_pkey', async () => insert({}))
  await assert.rejects(db.deleteFrom('supplier_files').where('peer_id', '=', file.peer_id).execute())
})

test('how a document stands over there is one of the known states', async () => {
  const said = {
    peer_id: await insertPeer(db),
    document_id: newId(),
    state: 'paid' as const,
    paid_minor: 1,
    credited_minor: 0,
    open_minor: 0,
    stands_since: '2026-03-01T00:00:00Z',
    received_at: '2026-03-01T00:00:00Z',
  }
  const insert = async (different: object) =>
    await db
      .insertInto('supplier_standings')
      .values({ ...said, ...different })
      .execute()
  await refuses('supplier_standings_state_check', async () => insert({ state: 'overdue' }))
  await refuses('supplier_standings_open_minor_check', async () => insert({ open_minor: -1 }))
  await insert({})
  await refuses('supplier_standings_pkey', async () => insert({}))
})

test('a supplier invoice is received once and never changes', async () => {
  const peerId = await insertPeer(db)
  const receive = async (different: Partial<SupplierDocument>) =>
    await receiveDocument(db, peerId, supplierDocument(different))
  await refuses('supplier_invoices_kind_check', async () => receive({ kind: 'other' as 'invoice' }))
  await refuses('supplier_invoices_check', async () => receive({ due_on: '2026-02-28' }))
  await refuses('supplier_invoices_currency_check', async () => receive({ currency: 'usd' }))
  await refuses('credit_note_corrects', async () => receive({ corrects: 'inv_01kb0000000000000000000002' }))
  assert.equal(await receive({}), 'stored')
  assert.equal(await receive({}), 'exists')
  assert.equal(await receive({ number: 'UP-2' }), 'conflict')
  const row = await one('supplier_invoices', sql`peer_id = ${peerId}`)
  await refuses('received_once', async () => copyRow(db, 'supplier_invoices', row))
  await assert.rejects(db.deleteFrom('supplier_invoices').where('id', '=', row).execute())
  await assert.rejects(
    db.updateTable('supplier_invoices').set({ number: 'X' }).where('id', '=', row).execute(),
  )
})

/** A document of 12.00 of a supplier, as rows: its ids. */
async function supplied(peerId: string, different: Partial<SupplierDocument> = {}): Promise<string> {
  const id = newId()
  const document = encodeId('invoice', id)
  await receiveDocument(db, peerId, supplierDocument({ document, ...different }))
  return await one('supplier_invoices', sql`document_id = ${id}`)
}

test('a supplier invoice comes from its supplier in one way, and a number of what is recorded here is used once', async () => {
  const peerId = await insertPeer(db)
  const row = await supplied(peerId)
  const supplier = await one('suppliers', sql`peer_id = ${peerId}`)
  const other = newId()
  const code = `other-${other.slice(-8)}`
  await insertRow('suppliers', { id: other, code, name: 'Other', currency: 'USD' })
  await refuses('suppliers_code_key', async () =>
    insertRow('suppliers', { id: newId(), code, name: 'Other', currency: 'USD' }),
  )
  await refuses('suppliers_code_check', async () =>
    insertRow('suppliers', { id: newId(), code: 'A b', name: 'Other', currency: 'USD' }),
  )
  await refuses('suppliers_peer_id_key', async () =>
    insertRow('suppliers', { id: newId(), code: 'twice', name: 'Twice', currency: 'USD', peer_id: peerId }),
  )
  const copy = async (different: Record<string, unknown>) =>
    await copyRow(db, 'supplier_invoices', row, { document_id: newId(), ...different })
  const byHand = { origin: 'hand', peer_id: null, recorded_by: 'tester', supplier_id: other }
  await refuses('supplier_invoices_origin_check', async () => copy({ ...byHand, origin: 'fax' }))
  await refuses('from_one_source', async () => copy({ peer_id: null }))
  await refuses('from_one_source', async () => copy({ recorded_by: 'tester' }))
  await refuses('from_one_source', async () => copy({ ...byHand, recorded_by: null }))
  await refuses('made_by_its_supplier', async () => copy({ supplier_id: other }))
  await refuses('made_by_its_supplier', async () => copy({ ...byHand, supplier_id: supplier }))
  await copy(byHand)
  await refuses('one_of_a_number', async () => copy(byHand))
  const upload = async (different: Record<string, unknown> = {}) =>
    await insertRow('supplier_uploads', {
      supplier_invoice_id: row,
      media_type: 'application/xml',
      sha256: Buffer.alloc(32),
      content: Buffer.from('<Invoice/>'),
      ...different,
    })
  await refuses('supplier_uploads_media_type_check', async () => upload({ media_type: 'text/html' }))
  await refuses('supplier_uploads_sha256_check', async () => upload({ sha256: Buffer.alloc(31) }))
  await refuses('supplier_uploads_supplier_invoice_id_fkey', async () =>
    upload({ supplier_invoice_id: newId() }),
  )
  await upload()
  await refuses('supplier_uploads_pkey', upload)
  await assert.rejects(db.deleteFrom('supplier_uploads').where('supplier_invoice_id', '=', row).execute())
})

test('a supplier subscription is of a supplier, for a time, of an amount, and each month of it is missed once', async () => {
  const supplier = newId()
  await insertRow('suppliers', { id: supplier, code: 'monthly', name: 'Monthly', currency: 'USD' })
  const id = newId()
  const insert = async (different: Record<string, unknown>) =>
    await insertRow('supplier_subscriptions', {
      id: newId(),
      supplier_id: supplier,
      name: 'Rack',
      amount_minor: null,
      line_text: null,
      begins_on: '2026-03-01',
      ends_on: null,
      grace_days: 7,
      recorded_by: 'tester',
      ...different,
    })
  await refuses('supplier_subscriptions_supplier_id_fkey', async () => insert({ supplier_id: newId() }))
  await refuses('supplier_subscriptions_name_check', async () => insert({ name: '' }))
  await refuses('supplier_subscriptions_amount_minor_check', async () => insert({ amount_minor: 0 }))
  await refuses('supplier_subscriptions_line_text_check', async () => insert({ line_text: '' }))
  await refuses('supplier_subscriptions_grace_days_check', async () => insert({ grace_days: 91 }))
  await refuses('expected_for_a_time', async () => insert({ ends_on: '2026-02-28' }))
  await insert({ id })
  await refuses('supplier_subscriptions_pkey', async () => insert({ id }))
  const missed = async (different: Record<string, unknown> = {}) =>
    await insertRow('missing_supplier_invoices', {
      id: newId(),
      supplier_subscription_id: id,
      expected_on: '2026-03-01',
      missed_at: '2026-03-09T00:00:00Z',
      ...different,
    })
  await missed()
  await refuses('missed_once', missed)
  await refuses('missing_supplier_invoices_supplier_subscription_id_fkey', async () =>
    missed({ supplier_subscription_id: newId() }),
  )
})

test('no more is set against a supplier invoice than it holds, of the same supplier and currency, and it stays', async () => {
  const [peerId, otherPeerId] = [await insertPeer(db), await insertPeer(db)]
  const [invoice, foreign] = [await supplied(peerId), await supplied(otherPeerId)]
  const credited = { net_minor: 100, tax_minor: 0, total_minor: 100, lines: [], taxes: [] }
  const note = await supplied(peerId, { kind: 'credit_note', number: 'UP-2', ...credited })
  const supplier = await one('suppliers', sql`peer_id = ${peerId}`)
  const pay = async (amount: number, parts: readonly (readonly [string, number])[], more: object = {}) => {
    const id = newId()
    await db.transaction().execute(async (tx) => {
      const made = { id, supplier_id: supplier, currency: 'USD', amount_minor: amount, paid_on: '2026-03-01' }
      const by = { reference: null, actor: 'tester', recorded_at: '2026-03-01T00:00:00Z' }
      await tx
        .insertInto('supplier_payments')
        .values({ ...made, ...by, ...more })
        .execute()
      for (const [paid, part] of parts) await allocate(tx, { invoice: paid, payment_id: id, amount: part })
    })
    return id
  }
  const allocate = async (
    on: Db,
    of: { invoice: string; payment_id?: string; credit_note_id?: string; amount: number },
  ) =>
    await on
      .insertInto('supplier_allocations')
      .values({
        id: newId(),
        supplier_invoice_id: of.invoice,
        payment_id: of.payment_id ?? null,
        credit_note_id: of.credit_note_id ?? null,
        amount_minor: of.amount,
        allocated_at: '2026-03-01T00:00:00Z',
      })
      .execute()
  await refuses('supplier_allocation_within_invoice', async () => pay(1_201, [[invoice, 1_201]]))
  await refuses('supplier_allocation_same_supplier', async () => pay(100, [[foreign, 100]]))
  await refuses('supplier_allocation_same_supplier', async () =>
    pay(100, [[invoice, 100]], { currency: 'EUR' }),
  )
  await refuses('supplier_payment_allocated', async () => pay(100, [[invoice, 99]]))
  await refuses('supplier_payments_amount_minor_check', async () => pay(0, []))
  await refuses('paid_once_each', async () =>
    pay(100, [
      [invoice, 50],
      [invoice, 50],
    ]),
  )
  const payment = await pay(1_100, [[invoice, 1_100]])
  const unpaid = await supplied(peerId, { number: 'UP-3' })
  await refuses('supplier_payment_allocated', async () =>
    allocate(db, { invoice: unpaid, payment_id: payment, amount: 1 }),
  )
  const roomy = await supplied(peerId, { number: 'UP-4' })
  await refuses('supplier_allocation_within_credit_note', async () =>
    allocate(db, { invoice: roomy, credit_note_id: note, amount: 101 }),
  )
  await refuses('set_against_by_one', async () => allocate(db, { invoice, amount: 1 }))
  await refuses('supplier_allocations_amount_minor_check', async () =>
    allocate(db, { invoice, credit_note_id: note, amount: 0 }),
  )
  await refuses('supplier_allocation_same_supplier', async () =>
    allocate(db, { invoice: foreign, credit_note_id: note, amount: 1 }),
  )
  const reverse = async () =>
    await insertRow('supplier_payment_reversals', {
      payment_id: payment,
      reason: 'x',
      actor: 'tester',
      reversed_at: '2026-03-02',
    })
  await reverse()
  await refuses('supplier_payment_reversals_pkey', reverse)
  for (const table of ['supplier_payments', 'supplier_allocations', 'supplier_payment_reversals'])
    await refuses(`${table}_immutable`, async () => sql`delete from ${sql.table(table)}`.execute(db))
})

test('what was recorded by hand is voided once, told by whom and why, while nothing is paid of it; nothing is set against it then', async () => {
  const peerId = await insertPeer(db)
  const sent = await supplied(peerId)
  const other = newId()
  await insertRow('suppliers', { id: other, code: `void-${other.slice(-8)}`, name: 'Other', currency: 'USD' })
  const byHand = { origin: 'hand', peer_id: null, recorded_by: 'tester', supplier_id: other }
  const copy = async (different: Record<string, unknown>) => {
    const id = newId()
    await copyRow(db, 'supplier_invoices', sent, { id, document_id: newId(), ...byHand, ...different })
    return id
  }
  const told = { voided_at: '2026-03-02T00:00:00Z', voided_by: 'tester', void_reason: 'misread' }
  const change = async (id: string, different: object) =>
    await db.updateTable('supplier_invoices').set(different).where('id', '=', id).execute()
  const invoice = await copy({ number: 'V-1' })
  await refuses('void_only_by_hand', async () => change(sent, told))
  await refuses('void_is_told', async () => change(invoice, { ...told, voided_by: null }))
  await refuses('supplier_invoices_void_reason_check', async () =>
    change(invoice, { ...told, void_reason: '' }),
  )
  await refuses('supplier_invoices_immutable', async () => change(invoice, { ...told, total_minor: 1 }))
  const allocate = async (of: { payment_id?: string; credit_note_id?: string }, on: Db = db) =>
    await on
      .insertInto('supplier_allocations')
      .values({
        id: newId(),
        supplier_invoice_id: invoice,
        payment_id: null,
        credit_note_id: null,
        amount_minor: 1,
        allocated_at: '2026-03-01T00:00:00Z',
        ...of,
      })
      .execute()
  const pay = async () =>
    await db.transaction().execute(async (tx) => {
      const id = newId()
      const made = { id, supplier_id: other, currency: 'USD', amount_minor: 1, paid_on: '2026-03-01' }
      const by = { reference: null, actor: 'tester', recorded_at: '2026-03-01T00:00:00Z' }
      await tx
        .insertInto('supplier_payments')
        .values({ ...made, ...by })
        .execute()
      await allocate({ payment_id: id }, tx)
      return id
    })
  const payment = await pay()
  await refuses('void_is_unpaid', async () => change(invoice, told))
  const reversal = { payment_id: payment, reason: 'x', actor: 'tester', reversed_at: '2026-03-02' }
  await insertRow('supplier_payment_reversals', reversal)
  const note = await copy({ number: 'V-2', kind: 'credit_note' })
  await change(note, told)
  await refuses('supplier_allocation_not_void', async () => allocate({ credit_note_id: note }))
  await change(invoice, told)
  await refuses('supplier_invoices_immutable', async () => change(invoice, { void_reason: 'another' }))
  await refuses('supplier_allocation_not_void', pay)
  await refuses('supplier_invoices_immutable', async () =>
    db.deleteFrom('supplier_invoices').where('id', '=', invoice).execute(),
  )
  await copy({ number: 'V-1' })
})

test('what a line of a supplier is for is said once by each of its names', async () => {
  const peerId = await insertPeer(db)
  await supplied(peerId)
  const supplier = await one('suppliers', sql`peer_id = ${peerId}`)
  const category = newId()
  const categories = async (different: object = {}) =>
    await insertRow('expense_categories', { id: newId(), code: 'hosting', name: 'Hosting', ...different })
  await categories({ id: category })
  await refuses('expense_categories_code_key', async () => categories())
  await refuses('expense_categories_code_check', async () => categories({ code: 'A b' }))
  await refuses('expense_categories_name_check', async () => categories({ code: 'other', name: '' }))
  await refuses('expense_categories_account_check', async () => categories({ code: 'other', account: '' }))
  const agreed = { supplier_id: supplier, agreed_by: 'tester', agreed_at: '2026-01-01' }
  const map = async (different: object = {}) =>
    await insertRow('expense_mappings', {
      ...agreed,
      matches: 'product_code',
      value: 'server-l',
      expense_category_id: category,
      ...different,
    })
  await map()
  await refuses('expense_mappings_pkey', async () => map())
  await refuses('expense_mappings_matches_check', async () => map({ matches: 'colour' }))
  await refuses('expense_mappings_value_check', async () => map({ value: '' }))
  await refuses('expense_mappings_expense_category_id_fkey', async () =>
    map({ value: 'other', expense_category_id: newId() }),
  )
  const tax = async (different: object = {}) =>
    await insertRow('supplier_tax_codes', {
      ...agreed,
      tax_category: 'standard',
      rate_percent: '20',
      tax_code: 'V20',
      ...different,
    })
  await tax()
  await refuses('supplier_tax_codes_pkey', async () => tax({ rate_percent: '20.0' }))
  await refuses('supplier_tax_codes_rate_percent_check', async () => tax({ rate_percent: '101' }))
  await refuses('supplier_tax_codes_tax_category_check', async () => tax({ tax_category: '' }))
  await refuses('supplier_tax_codes_tax_code_check', async () => tax({ rate_percent: '7', tax_code: '' }))
})

test('a dispute is of one side, is answered in full, and what was said in it stays', async () => {
  const peerId = await insertPeer(db)
  const supplierInvoice = await supplied(peerId)
  const raise = async (different: object = {}) => {
    const row = {
      id: newId(),
      peer_id: peerId,
      supplier_invoice_id: supplierInvoice,
      document_id: newId(),
      number: 'UP-1',
      reason: 'Wrong',
      raised_at: '2026-01-01',
      raised_by: 'tester',
      ...different,
    }
    await insertRow('disputes', row)
    return row.id
  }
  const theirs = { supplier_invoice_id: null, raised_by: null }
  const answered = { outcome: 'accepted', answered_at: '2026-01-02' }
  await refuses('disputes_number_check', async () => raise({ number: '' }))
  await refuses('disputes_reason_check', async () => raise({ reason: '' }))
  await refuses('disputes_lines_check', async () => raise({ lines: '{0}' }))
  await refuses('disputes_outcome_check', async () => raise({ ...answered, outcome: 'maybe' }))
  await refuses('disputes_answer_check', async () => raise({ ...answered, answer: '' }))
  await refuses('dispute_raised_by', async () => raise({ raised_by: null }))
  await refuses('dispute_of_one_side', async () => raise({ invoice_id: sold.invoice }))
  await refuses('dispute_answered', async () => raise({ outcome: 'accepted' }))
  await refuses('dispute_answered', async () => raise({ answer: 'Yes' }))
  await refuses('dispute_answered', async () => raise({ ...answered, answered_by: 'tester' }))
  await refuses('dispute_withdrawn_by', async () => raise({ withdrawn_at: '2026-01-02' }))
  await refuses('dispute_withdrawn_by', async () => raise({ ...theirs, withdrawn_by: 'tester' }))
  await refuses('dispute_rejected_with_text', async () => raise({ ...answered, outcome: 'rejected' }))
  await raise({ ...answered, withdrawn_at: '2026-01-02', withdrawn_by: 'tester' })
  const id = await raise()
  await refuses('one_open_dispute', async () => raise())
  await raise(theirs)
  await raise(theirs)
  const change = async (columns: RawBuilder<unknown>) =>
    await sql`update disputes set ${columns} where id = ${id}`.execute(db)
  await refuses('dispute_kept', async () => change(sql`reason = 'Right'`))
  await refuses('dispute_kept', async () => sql`delete from disputes where id = ${id}`.execute(db))
  await change(sql`outcome = 'accepted', answered_at = '2026-01-02'`)
  await refuses('dispute_kept', async () => change(sql`answer = 'After all'`))
  await change(sql`withdrawn_at = '2026-01-03', withdrawn_by = 'tester'`)
  await refuses('dispute_kept', async () => change(sql`withdrawn_at = '2026-01-04'`))
  const { rows } = await sql<{ state: string }>`select state from disputes where id = ${id}`.execute(db)
  assert.equal(rows[0]?.state, 'withdrawn')
})

test('a line of a supplier pays for one thing, said once by each of its names', async () => {
  const peerId = await insertPeer(db)
  await supplied(peerId)
  const supplier = await one('suppliers', sql`peer_id = ${peerId}`)
  const server = await one('servers', sql`true`)
  const rule = async (different: object = {}) =>
    await insertRow('cost_rules', {
      supplier_id: supplier,
      matches: 'product_code',
      value: 'server-l',
      server_id: server,
      set_by: 'tester',
      set_at: '2026-01-01',
      ...different,
    })
  await rule()
  await refuses('cost_rules_pkey', async () => rule())
  await refuses('cost_rules_matches_check', async () => rule({ matches: 'colour' }))
  await refuses('cost_rules_value_check', async () => rule({ value: '' }))
  await refuses('pays_for_one_thing', async () => rule({ value: 'b', server_id: null }))
  await refuses('pays_for_one_thing', async () => rule({ value: 'b', subscription_id: sold.subscription }))
})

test('a limit says in full what is used and what holds it, and no more units are handed out than were sold', async () => {
  const set = (columns: RawBuilder<unknown>) =>
    sql`update limits set ${columns} where instance_id = ${sold.instance} and code = 'users'`.execute(db)
  await refuses('limits_enforcement_check', async () => set(sql`enforcement = 'gentle'`))
  await refuses('limits_used_check', async () => set(sql`used_quantity = 1`))
  await refuses('limits_used_quantity_check', async () => set(sql`used_quantity = -1, used_at = now()`))
  await refuses('limits_in_force_check', async () =>
    set(sql`in_force_quantity = 5, not_in_force_since = now()`),
  )
  await refuses('limits_hold_check', async () => set(sql`hold = '{"way": "stop"}'`))
  await refuses('limits_held_check', async () => set(sql`reached_at = now(), held_at = now()`))
  const reserve = (columns: Record<string, unknown> = {}) => {
    const row = {
      id: newId(),
      instance_id: sold.instance,
      limit_code: 'users',
      quantity: 3,
      reserved_by: 'key_1',
      expires_at: '2999-01-01',
      ...columns,
    }
    return insertRow('unit_reservations', row)
  }
  await reserve()
  await refuses('units_within_limit', async () => reserve())
  await refuses('unit_reservations_quantity_check', async () => reserve({ quantity: 0 }))
  await refuses('unit_reservations_check', async () => reserve({ quantity: 1, expires_at: '2026-01-01' }))
  await refuses('unit_reservations_instance_id_limit_code_fkey', async () =>
    reserve({ limit_code: 'cars', released_at: '2026-01-01' }),
  )
})

test('a webhook, its secrets, its deliveries and their attempts have their form', async () => {
  const insert = async (values: Record<string, unknown> = {}) => {
    const id = newId()
    const row = { id, url: 'https://hooks.example.com/', description: '', created_at: '2026-03-01', created_by: 'test' }
    await insertRow('webhooks', { ...row, ...values })
    return id
  }
  await refuses('webhooks_url_check', async () => insert({ url: 'ftp://hooks.example.com/' }))
  await refuses('webhooks_description_check', async () => insert({ description: 'x'.repeat(201) }))
  await refuses('webhooks_kinds_check', async () => insert({ kinds: [] }))
  await refuses('webhooks_state_check', async () => insert({ state: 'off' }))
  await refuses('webhooks_rests_check', async () => insert({ rests: -1 }))
  await refuses('webhooks_disabled_reason_check', async () => insert({ state: 'disabled', disabled_reason: '' }))
  await refuses('disabled_with_a_reason', async () => insert({ state: 'disabled' }))
  const id = await insert()
  const secret = (expiresAt: string | null) =>
    insertRow('webhook_secrets', { id: newId(), webhook_id: id, key_id: 'k', sealed: Buffer.alloc(1), made_at: '2026-03-01', expires_at: expiresAt })
  await secret(null)
  await secret('2026-03-02')
  await refuses('one_signing_secret', async () => secret(null))
  const event = await one('events', sql`id = (select max(id) from events)`)
  const delivery = (values: Record<string, unknown>) =>
    insertRow('webhook_deliveries', { webhook_id: id, event_id: event, ...values })
  await refuses('webhook_deliveries_state_check', async () => delivery({ state: 'lost', settled_at: '2026-03-01' }))
  await refuses('webhook_deliveries_failures_check', async () => delivery({ failures: -1, first_failed_at: '2026-03-01' }))
  await refuses('settled_once', async () => delivery({ state: 'delivered' }))
  await refuses('failed_first', async () => delivery({ failures: 1 }))
  await delivery({})
  await refuses('webhook_deliveries_pkey', async () => delivery({}))
  const attempt = (values: Record<string, unknown>) =>
    insertRow('webhook_attempts', { webhook_id: id, event_id: event, at: '2026-03-01', duration_ms: 1, status: 200, answer: '', ...values })
  await refuses('webhook_attempts_duration_ms_check', async () => attempt({ duration_ms: -1 }))
  await refuses('webhook_attempts_status_check', async () => attempt({ status: 99 }))
  await refuses('webhook_attempts_failure_check', async () => attempt({ status: null, answer: null, failure: '' }))
  await refuses('webhook_attempts_answer_check', async () => attempt({ answer: 'x'.repeat(501) }))
  await refuses('answered_or_not', async () => attempt({ status: null }))
  await refuses('answered_or_not', async () => attempt({ failure: 'connect ECONNREFUSED' }))
  await refuses('webhook_attempts_webhook_id_event_id_fkey', async () => attempt({ event_id: 0 }))
}) // prettier-ignore

test('a link into the portal lives shortly and is opened or withdrawn, and its session is of its customer', async () => {
  const [customer, stranger] = [
    await one('customers', sql`id = (select customer_id from subscriptions where id = ${sold.subscription})`),
    newId(),
  ]
  await copyRow(db, 'customers', customer, { id: stranger, code: 'stranger' })
  let count = 0
  const digest = () => Buffer.alloc(32, (count += 1))
  const link = async (different: Record<string, unknown> = {}) => {
    const id = newId()
    const instants = { made_at: '2026-01-01T00:00:00Z', expires_at: '2026-01-01T00:10:00Z' }
    const row = { id, customer_id: customer, token_sha256: digest(), made_by: 'test', ...instants }
    await insertRow('portal_links', { ...row, ...different })
    return id
  }
  await refuses('portal_links_token_sha256_check', async () => link({ token_sha256: Buffer.alloc(16) }))
  await refuses('portal_link_lives_shortly', async () => link({ expires_at: '2026-01-02T00:00:01Z' }))
  await refuses('portal_link_lives_shortly', async () => link({ expires_at: '2026-01-01T00:00:00Z' }))
  const both = { opened_at: '2026-01-01', withdrawn_at: '2026-01-01' }
  await refuses('portal_link_opened_or_withdrawn', async () => link(both))
  const link_id = await link({ token_sha256: Buffer.alloc(32, 200) })
  await refuses('portal_links_token_sha256_key', async () => link({ token_sha256: Buffer.alloc(32, 200) }))
  const session = async (different: Record<string, unknown> = {}) => {
    const at = { begun_at: '2026-01-01', last_used_at: '2026-01-01', expires_at: '2026-01-02' }
    const row = {
      id: newId(),
      link_id,
      customer_id: customer,
      token_sha256: digest(),
      form_token: 'x',
      ...at,
    }
    await insertRow('portal_sessions', { ...row, ...different })
  }
  await refuses('portal_session_of_its_link', async () => session({ customer_id: stranger }))
  await refuses('portal_session_ended', async () => session({ ended_at: '2026-01-01' }))
  await refuses('portal_sessions_token_sha256_check', async () => session({ token_sha256: Buffer.alloc(31) }))
  await session()
  await refuses('portal_sessions_link_id_key', async () => session())
})

test('what is billed elsewhere has no charge, and a deployment is one subscription over there that ends once', async () => {
  const elsewhere = await copyRow(db, 'subscriptions', sold.subscription, { is_billed_elsewhere: true, external_id: null })
  const elsewhereLine = await copyRow(db, 'subscription_lines', sold.line, {
    subscription_id: elsewhere, starts_on: '1990-01-01', ends_on: '1990-02-01' })
  await refuses('billed_elsewhere', async () => copyRow(db, 'invoice_lines', sold.invoiceLine, {
    subscription_id: elsewhere, subscription_line_id: elsewhereLine, position: 99 }))
  await refuses('who_bills_is_kept', async () =>
    sql`update subscriptions set is_billed_elsewhere = false where id = ${elsewhere}`.execute(db))
  const charge = (subscription: string) =>
    sql`insert into one_off_charges (id, customer_id, subscription_id, currency, description, quantity, unit, price, charged_on)
      select ${newId()}, customer_id, id, currency, 'x', 1, 'piece', '{"model":"per_unit","unitAmount":"1"}', current_date
      from subscriptions where id = ${subscription}`.execute(db)
  await charge(sold.subscription)
  await refuses('billed_elsewhere', async () => charge(elsewhere))
  const deployer = newId()
  const insert = (values: Readonly<Record<string, unknown>> = {}) => insertRow('deployers', {
    id: newId(), code: 'yard', url: 'https://yard.example', customer: 'acme', key_id: 'k', sealed: Buffer.from([0]),
    set_at: '2026-01-01T00:00:00Z', set_by: 'test', ...values })
  await insert({ id: deployer })
  await refuses('deployers_code_key', async () => insert())
  await refuses('deployers_code_check', async () => insert({ code: 'A' }))
  await refuses('deployers_url_check', async () => insert({ code: 'a', url: 'https://yard.example/' }))
  await refuses('deployers_customer_check', async () => insert({ code: 'a', customer: '' }))
  await refuses('deployers_check', async () => insert({ code: 'a', failure: 'away' }))
  const ofProduct = (code: string, there: Readonly<Record<string, unknown>>) =>
    sql<{ id: string }>`select id from products where code = ${code}`.execute(db).then(async ({ rows }) =>
      insertRow('product_deployers', { product_id: rows[0]?.id, deployer_id: deployer,
        set_at: '2026-01-01T00:00:00Z', set_by: 'test', ...there }))
  await refuses('one_is_ordered_there', async () => ofProduct('set-up', {}))
  await refuses('product_deployers_kit_there_check', async () => ofProduct('set-up', { kit_there: '' }))
  await refuses('product_deployers_product_there_check', async () => ofProduct('set-up', { product_there: '' }))
  await refuses('deployed_here_or_there', async () => ofProduct('static-site', { product_there: 'a' }))
  const deploy = (values: Readonly<Record<string, unknown>> = {}) => insertRow('deployments', {
    id: newId(), subscription_id: sold.subscription, first_line_id: sold.line, deployer_id: deployer, product_there: 'a',
    quantity: 1, subscription_there: 'sub_1', ...values })
  await deploy()
  await refuses('deployments_first_line_id_key', async () => deploy({ subscription_there: null }))
  await refuses('one_deployment_there', async () => deploy({ first_line_id: sold.usageLine }))
  const other = { first_line_id: sold.usageLine, subscription_there: null }
  await refuses('one_is_deployed_there', async () => deploy({ ...other, kit_there: 'b' }))
  await refuses('deployments_quantity_check', async () => deploy({ ...other, quantity: 0 }))
  await refuses('deployments_state_check', async () => deploy({ ...other, state: 'gone' }))
  await refuses('deployed_is_known', async () => deploy({ ...other, state: 'running' }))
  await refuses('deployment_ordered_once', async () => sql`update deployments set subscription_there = 'sub_2'`.execute(db))
  await sql`update deployments set state = 'ended'`.execute(db)
  await refuses('deployment_ended', async () => sql`update deployments set state = 'running'`.execute(db))
}) // prettier-ignore
