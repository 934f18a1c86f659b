import { sql } from 'kysely'
import { settle } from '#domain/invoice/balance.ts'
import type { Tx } from './database.ts'
import { newIds } from './identifier.ts'

/** A document that is being finalized, with what of other invoices its lines take back. */
export interface SettledInvoice {
  readonly id: string
  readonly customerId: string
  readonly testClockId: string | null
  readonly now: string
  readonly draft: { readonly currency: string; readonly totalMinor: number }
  readonly lines: readonly {
    readonly credits_line_id: string | null
    readonly amount_minor: number
    readonly tax_minor: number
  }[]
}

interface Allocation {
  readonly invoiceId: string
  readonly kind: 'balance' | 'credit_note'
  readonly creditNoteId: string | null
  readonly amountMinor: number
  readonly allocatedAt: string
}

/** An invoice that a credit note takes from, and what is left to pay of it. */
interface OpenInvoice {
  readonly id: string
  readonly customerId: string
  openMinor: number
}

interface Balance {
  readonly customerId: string
  readonly currency: string
  readonly testClockId: string | null
  readonly beforeMinor: number
  amountMinor: number
}

/**
 * What is owed to customers meets what they owe. A credit note takes first from the unpaid invoices whose lines it
 * credits; the rest becomes the customer's balance, which the next invoices use. Invoices are locked in the order of
 * their ids, then balances: of two bills at once each cent is used by one.
 * @returns the ids of the invoices that something was set against
 */
export async function settleInvoices(tx: Tx, invoices: readonly SettledInvoice[]): Promise<string[]> {
  const open = await lockCreditedInvoices(tx, invoices)
  const balances = await lockBalances(tx, invoices)
  const allocations: Allocation[] = []
  for (const invoice of invoices) {
    const balance = balances.get(keyOf(invoice))
    if (invoice.draft.totalMinor < 0) {
      const taken = takeFromInvoices(invoice, open)
      allocations.push(...taken)
      const restMinor = -invoice.draft.totalMinor - sum(taken)
      if (restMinor > 0) addToBalance(balances, invoice, restMinor)
    } else if (balance && balance.amountMinor > 0) {
      const { balanceUsedMinor, balanceLeftMinor } = settle(invoice.draft.totalMinor, {
        balanceMinor: balance.amountMinor,
      })
      balance.amountMinor = balanceLeftMinor
      if (balanceUsedMinor > 0) allocations.push(allocation(invoice, 'balance', balanceUsedMinor))
    }
  }
  await insertAllocations(tx, allocations)
  await writeBalances(tx, [...balances.values()])
  return [...new Set(allocations.map(({ invoiceId }) => invoiceId))]
}

function allocation(invoice: SettledInvoice, kind: 'balance', amountMinor: number): Allocation {
  return { invoiceId: invoice.id, kind, creditNoteId: null, amountMinor, allocatedAt: invoice.now }
}

/** Of each invoice no more than is credited of it, and no more than is still to be paid. */
function takeFromInvoices(note: SettledInvoice, open: ReadonlyMap<string, OpenInvoice>): Allocation[] {
  let leftMinor = -note.draft.totalMinor
  const credited = new Map<OpenInvoice, number>()
  for (const line of note.lines) {
    const invoice = open.get(line.credits_line_id ?? '')
    // What another payer was billed is his: it is neither his money nor his debt that comes back.
    if (invoice?.customerId !== note.customerId) continue
    credited.set(invoice, (credited.get(invoice) ?? 0) - line.amount_minor - line.tax_minor)
  }
  const taken: Allocation[] = []
  for (const [invoice, creditedMinor] of credited) {
    const amountMinor = Math.min(leftMinor, creditedMinor, invoice.openMinor)
    if (amountMinor <= 0) continue
    leftMinor -= amountMinor
    invoice.openMinor -= amountMinor
    taken.push({
      invoiceId: invoice.id,
      kind: 'credit_note',
      creditNoteId: note.id,
      amountMinor,
      allocatedAt: note.now,
    })
  }
  return taken
}

function addToBalance(balances: Map<string, Balance>, invoice: SettledInvoice, amountMinor: number): void {
  const balance = balances.get(keyOf(invoice)) ?? {
    customerId: invoice.customerId,
    currency: invoice.draft.currency,
    testClockId: invoice.testClockId,
    beforeMinor: 0,
    amountMinor: 0,
  }
  balance.amountMinor += amountMinor
  balances.set(keyOf(invoice), balance)
}

function keyOf(invoice: SettledInvoice): string {
  return `${invoice.customerId} ${invoice.draft.currency} ${invoice.testClockId ?? ''}`
}

/** By the line that is credited. Read after they are locked, so that nothing is allocated in between. */
async function lockCreditedInvoices(
  tx: Tx,
  invoices: readonly SettledInvoice[],
): Promise<ReadonlyMap<string, OpenInvoice>> {
  const lineIds = invoices
    .filter(({ draft }) => draft.totalMinor < 0)
    .flatMap(({ lines }) => lines.flatMap((line) => line.credits_line_id ?? []))
  if (lineIds.length === 0) return new Map()
  const locked = await sql<{ id: string }>`
    select id from invoices
    where id in (select invoice_id from invoice_lines where id = any(${lineIds}::uuid[])) and kind = 'invoice'
    order by id for no key update`.execute(tx)
  const ids = locked.rows.map(({ id }) => id)
  const { rows } = await sql<{ line_id: string; id: string; customer_id: string; open_minor: number }>`
    select line.id as line_id, invoice.id, invoice.customer_id, invoice.total_minor - coalesce(taken.amount_minor, 0)::bigint as open_minor
    from invoice_lines line
    join invoices invoice on invoice.id = line.invoice_id
    left join lateral (select sum(amount_minor) as amount_minor from allocations where invoice_id = invoice.id) taken on true
    where line.id = any(${lineIds}::uuid[]) and invoice.id = any(${ids}::uuid[])
    order by invoice.id`.execute(tx)
  const byInvoice = new Map(
    rows.map((row) => [row.id, { id: row.id, customerId: row.customer_id, openMinor: row.open_minor }]),
  )
  return new Map(
    rows.flatMap((row) => {
      const invoice = byInvoice.get(row.id)
      return invoice ? [[row.line_id, invoice] as const] : []
    }),
  )
}

async function lockBalances(tx: Tx, invoices: readonly SettledInvoice[]): Promise<Map<string, Balance>> {
  const customerIds = [...new Set(invoices.map(({ customerId }) => customerId))]
  const rows = await tx
    .selectFrom('customer_balances')
    .selectAll()
    .where('customer_id', '=', sql<string>`any(${customerIds}::uuid[])`)
    .where('amount_minor', '>', 0)
    .orderBy('customer_id')
    .orderBy('currency')
    .orderBy('test_clock_id')
    .forUpdate()
    .execute()
  return new Map(
    rows.map((row) => [
      `${row.customer_id} ${row.currency} ${row.test_clock_id ?? ''}`,
      {
        customerId: row.customer_id,
        currency: row.currency,
        testClockId: row.test_clock_id,
        beforeMinor: row.amount_minor,
        amountMinor: row.amount_minor,
      },
    ]),
  )
}

async function insertAllocations(tx: Tx, allocations: readonly Allocation[]): Promise<void> {
  if (allocations.length === 0) return
  const ids = newIds(allocations.length)
  const rows = allocations.map((row, index) => ({ id: ids[index], ...row }))
  await sql`
    insert into allocations (id, invoice_id, kind, credit_note_id, amount_minor, allocated_at)
    select * from json_to_recordset(${JSON.stringify(rows)}::json) as taken (id uuid, "invoiceId" uuid, kind text,
      "creditNoteId" uuid, "amountMinor" bigint, "allocatedAt" timestamptz)`.execute(tx)
}

/** By differences: a balance that began with two bills at once holds the sum of both. */
async function writeBalances(tx: Tx, balances: readonly Balance[]): Promise<void> {
  const changes = balances.map((balance) => ({
    ...balance,
    changeMinor: balance.amountMinor - balance.beforeMinor,
  }))
  const used = changes.filter(({ changeMinor }) => changeMinor < 0)
  const grown = changes.filter(({ changeMinor }) => changeMinor > 0)
  if (used.length > 0)
    await sql`
      update customer_balances set amount_minor = customer_balances.amount_minor + used."changeMinor"
      from json_to_recordset(${JSON.stringify(used)}::json) as used
        ("customerId" uuid, currency text, "testClockId" uuid, "changeMinor" bigint)
      where customer_balances.customer_id = used."customerId" and customer_balances.currency = used.currency
        and customer_balances.test_clock_id is not distinct from used."testClockId"`.execute(tx)
  if (grown.length > 0)
    await sql`
      insert into customer_balances (customer_id, currency, test_clock_id, amount_minor)
      select * from json_to_recordset(${JSON.stringify(grown)}::json) as grown
        ("customerId" uuid, currency text, "testClockId" uuid, "changeMinor" bigint)
      order by 1, 2, 3
      on conflict (customer_id, currency, test_clock_id)
        do update set amount_minor = customer_balances.amount_minor + excluded.amount_minor`.execute(tx)
}

function sum(allocations: readonly Allocation[]): number {
  return allocations.reduce((total, { amountMinor }) => total + amountMinor, 0)
}
