import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { decodeId } from '#domain/identifier.ts'
import { serveTestConsole, type ServedConsole } from '#test/pages/console.ts'
import { runClouder } from '#test/support/clouder.ts'

let served: ServedConsole
let folder: string
before(async () => {
  served = await serveTestConsole()
  folder = mkdtempSync(path.join(tmpdir(), 'clouder-invoices-'))
  await served.post('/v1/customers', { code: 'acme', name: 'Acme' })
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await served.close()
})

async function run(...args: string[]) {
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return await runClouder(args, env)
}

interface Answer {
  readonly id: string
  readonly kind: string
  readonly number: string
  readonly money_state: string | null
  readonly state: string
  readonly open: { readonly amount_minor: number }
  readonly total: { readonly amount_minor: number }
  readonly lines: readonly { readonly id: string; readonly description: string }[]
}

async function answer(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await run(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Answer
}

async function invoice(price: string): Promise<Answer> {
  await answer('charges', 'add', '--customer', 'acme', '--description', 'Work', '--price', price)
  return await answer('charges', 'bill', 'acme')
}

test('a charge is added, listed, billed; another is withdrawn', async () => {
  const add = ['charges', 'add', '--customer', 'acme', '--description', 'Import', '--price', '12.50']
  const kept = await answer(...add, '--reference', 'order 7', '--quantity', '2')
  const dropped = await answer(...add)
  assert.equal((await answer('charges', 'withdraw', dropped.id)).state, 'withdrawn')
  const list = await run('charges', '--waiting')
  assert.ok(list.stdout.includes(kept.id) && !list.stdout.includes(dropped.id), list.stdout)
  const billed = await answer('charges', 'bill', 'acme')
  assert.equal(billed.total.amount_minor, 2_500)
  assert.equal(billed.lines[0]?.description, 'Import (order 7)')
  const again = await run('charges', 'bill', 'acme')
  assert.equal(again.code, 5)
  assert.match(again.stderr, /No one-off charge waits/)
})

test('a text is added without a price, and shown without quantity and amount', async () => {
  await answer('charges', 'add', '--customer', 'acme', '--text', '--description', 'Thank you')
  const alone = await run('charges', 'bill', 'acme')
  assert.equal(alone.code, 5)
  assert.match(alone.stderr, /Only texts wait/)
  const { id } = await invoice('10')
  const { stdout } = await run('invoices', 'show', id)
  assert.match(stdout, /^Thank you\t–\t–\t–\t–$/m)
})

test('an invoice is paid in part, then whole, and found by its state', async () => {
  const { id } = await invoice('100')
  assert.equal((await answer('invoices', 'pay', id, '--amount', '40')).money_state, 'partly_paid')
  const list = await run('invoices', '--state', 'partly_paid')
  assert.ok(list.stdout.includes(id))
  const paid = await answer('invoices', 'pay', id, '--reference', 'bank 9')
  assert.deepEqual([paid.money_state, paid.open.amount_minor], ['paid', 0])
  const shown = await run('invoices', 'show', id)
  assert.match(shown.stdout, /payment\s+-60\.00 USD/)
})

test('an amount is one of its currency, or refused before anything is asked', async () => {
  const { id } = await invoice('100')
  for (const amount of ['12.505', 'much', '-1']) {
    const ran = await run('invoices', 'pay', id, `--amount=${amount}`)
    assert.equal(ran.code, 2, amount)
    assert.match(ran.stderr, /is no amount in USD/)
  }
})

test('an invoice is credited by amount and by line, voided, and billed anew', async () => {
  const made = await invoice('100')
  const note = await answer('invoices', 'credit', made.id, '--amount', '30', '--reason', 'late')
  assert.deepEqual([note.kind, note.total.amount_minor], ['credit_note', 3_000])
  const line = made.lines[0]?.id ?? ''
  const part = await answer('invoices', 'credit', made.id, '--line', line, '--quantity', '0.5')
  assert.equal(part.total.amount_minor, 5_000)
  assert.equal((await run('invoices', 'credit', made.id, '--quantity', '1')).code, 2)
  assert.equal((await run('invoices', 'reissue', made.id)).code, 5)
  assert.equal((await answer('invoices', 'void', made.id, '--reason', 'wrong')).money_state, 'void')
  assert.equal((await answer('invoices', 'reissue', made.id)).total.amount_minor, 10_000)
})

test('an invoice is written off, and collected again', async () => {
  const { id } = await invoice('100')
  const reason = ['--reason', 'insolvent']
  assert.equal((await answer('invoices', 'write-off', id, ...reason)).money_state, 'uncollectible')
  assert.equal((await answer('invoices', 'collect', id, ...reason)).money_state, 'open')
})

test('every finalized document is looked at, and one that was changed is named', async () => {
  const { id, number } = await invoice('100')
  const ran = await run('invoices', 'check')
  assert.deepEqual([ran.code, ran.stdout], [0, ''])
  assert.match(ran.stderr, /All \d+ finalized documents are as they were/)
  await served.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update invoices set issued_on = issued_on - 1 where id = ${decodeId('invoice', id)}`.execute(tx)
  })
  const changed = await run('invoices', 'check')
  assert.equal(changed.code, 1)
  assert.ok(changed.stdout.includes(`\t${number}\t`), changed.stdout)
  assert.equal((await run('invoices', 'check', '--json')).code, 1)
})
