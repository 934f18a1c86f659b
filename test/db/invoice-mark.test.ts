import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { billFinal } from '#db/billing.ts'
import { insertCreditNote } from '#db/credit-note.ts'
import { newId } from '#db/identifier.ts'
import { readInvoiceMoney } from '#db/invoice-money.ts'
import { voidInvoice } from '#db/invoice-mark.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { moneyState } from '#domain/invoice/balance.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-05-01T10:00:00Z'

async function annul(invoiceId: string, at = now) {
  return await seller.db
    .transaction()
    .execute(async (tx) => voidInvoice(tx, { invoiceId, reason: 'wrong', actor: 'test', now: at }))
}

async function creditLine(invoiceId: string, lineId: string, netMinor: number) {
  const request = { kind: 'lines', lines: [{ lineId, netMinor }] } as const
  await seller.db.transaction().execute(async (tx) =>
    insertCreditNote(tx, {
      invoiceId,
      request,
      billingKey: `credit/${newId()}`,
      reason: null,
      actor: 'test',
      now,
    }),
  )
}

/** What is left of an invoice: its lines, and all that takes from them, wherever it stands. */
async function leftOf(invoiceId: string): Promise<number> {
  const { rows } = await sql<{ left: number }>`
    with recursive of_invoice as (
      select id, amount_minor + tax_minor as gross_minor from invoice_lines where invoice_id = ${invoiceId}
      union all
      select line.id, line.amount_minor + line.tax_minor from invoice_lines line
      join of_invoice on line.credits_line_id = of_invoice.id
    )
    select sum(gross_minor)::integer as left from of_invoice`.execute(seller.db)
  return rows[0]?.left ?? 0
}

/** Five users from April on, ten from the 10th: on 1 May 3.50 of April are credited, 7.00 and 10.00 charged. */
async function sellMore() {
  const sold = await sellUsers(seller)
  await billDue(seller.db, sold.documentId, '2026-04-08T00:00:00Z')
  await sold.change('more', '2026-04-10', { quantity: '10' })
  await billDue(seller.db, sold.documentId, '2026-05-01T00:00:00Z')
  const invoices = await seller.db
    .selectFrom('invoices')
    .select('id')
    .where('document_id', '=', sold.documentId)
    .orderBy('id')
    .execute()
  const [april = '', may = ''] = invoices.map(({ id }) => id)
  const mayLines = await seller.db
    .selectFrom('invoice_lines')
    .select(['id', 'amount_minor'])
    .where('invoice_id', '=', may)
    .orderBy('position')
    .execute()
  return { ...sold, april, may, mayLines }
}

test('the credits of an invoice fall with it, also where more of its charges was credited than it came to', async () => {
  const { may, mayLines, subscriptionId } = await sellMore()
  assert.deepEqual(
    mayLines.map((line) => line.amount_minor),
    [-350, 700, 1000],
  )
  await creditLine(may, mayLines[1]?.id ?? '', 700)
  const key = { subscriptionId, requestId: 'stop', now: '2026-05-01T10:00:00Z', actor: 'test' }
  await cancelSubscription(seller.db, key, { when: 'now', reason: 'moved' })
  await billFinal(seller.db, subscriptionId, now)
  assert.equal(await leftOf(may), -350)
  const made = await annul(may)
  assert.deepEqual([made?.kind, made?.totalMinor], ['invoice', 350])
  assert.equal(await leftOf(may), 0)
  const row = await seller.db
    .selectFrom('invoices')
    .select('corrects_id')
    .where('id', '=', made?.id ?? '')
    .executeTakeFirstOrThrow()
  assert.equal(row.corrects_id, may)
  // What the last bill gave back beyond what was owed is the customer's balance: it pays this.
  assert.equal(moneyState(await readInvoiceMoney(seller.db, made?.id ?? ''), '2026-05-01'), 'paid')
  await assert.rejects(annul(made?.id ?? ''), { code: 'not_an_invoice' })
})

test('what a draft would credit of an invoice falls with the void: the invoice is wholly credited, and the draft says so', async () => {
  await seller.db.updateTable('installation').set({ draft_days: 5 }).execute()
  try {
    const { april, may, documentId } = await sellMore()
    const note = await annul(april)
    assert.equal(note?.totalMinor, 500)
    const draft = await seller.db
      .selectFrom('invoices')
      .select(['id', 'total_minor', 'finalized_at'])
      .where('document_id', '=', documentId)
      .where('finalized_at', 'is', null)
      .executeTakeFirstOrThrow()
    assert.deepEqual(draft, { id: may, total_minor: 1700, finalized_at: null })
    await billDue(seller.db, documentId, '2026-05-07T00:00:00Z')
    assert.equal(await leftOf(april), 0)
  } finally {
    await seller.db.updateTable('installation').set({ draft_days: 0 }).execute()
  }
})

test('of two invoices that are both annulled nothing is left, in whichever order', async () => {
  for (const isLaterFirst of [false, true]) {
    const { april, may } = await sellMore()
    for (const id of isLaterFirst ? [may, april] : [april, may]) await annul(id)
    assert.deepEqual([await leftOf(april), await leftOf(may)], [0, 0])
  }
})
