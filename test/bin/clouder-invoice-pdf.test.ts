import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { serveTestConsole, type ServedConsole } from '#test/pages/console.ts'
import { runClouder } from '#test/support/clouder.ts'
import { insertFinalizedInvoice, type MadeInvoice } from '#test/support/finalized-invoice.ts'
import { readPdf } from '#test/support/pdf.ts'

let served: ServedConsole
let folder: string
let customerId: string
before(async () => {
  served = await serveTestConsole()
  folder = mkdtempSync(path.join(tmpdir(), 'clouder-pdf-'))
  await served.post('/v1/customers', { code: 'acme', name: 'Acme' })
  const customer = await served.db.selectFrom('customers').select('id').executeTakeFirstOrThrow()
  customerId = customer.id
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await served.close()
})

const made: MadeInvoice = { number: 'INV-7', currency: 'USD', netMinor: 1500, taxPercent: '0', taxMinor: 0 }

async function run(...args: string[]) {
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return await runClouder(['invoices', 'pdf', ...args], env)
}

test('invoices pdf writes the document to the named file, and prints where it is', async () => {
  const id = await insertFinalizedInvoice(served.db, customerId, made)
  const file = path.join(folder, 'march.pdf')
  const ran = await run(encodeId('invoice', id), '--output', file)
  assert.deepEqual([ran.code, ran.stdout.trim()], [0, file])
  assert.match((await readPdf(readFileSync(file))).text, /Invoice INV-7 15\.00 USD/)
})

test('invoices pdf says why a draft has none, and what helps', async () => {
  const id = await insertFinalizedInvoice(served.db, customerId, { ...made, isDraft: true })
  const ran = await run(encodeId('invoice', id))
  assert.notEqual(ran.code, 0)
  assert.match(ran.stderr, /A draft has no PDF/)
  assert.match(ran.stderr, /what helps {2}Finalize it first/)
})

test('invoices pdf says when the file cannot be written', async () => {
  const id = await insertFinalizedInvoice(served.db, customerId, { ...made, number: 'INV-8' })
  const ran = await run(encodeId('invoice', id), '--output', path.join(folder, 'missing', 'march.pdf'))
  assert.equal(ran.code, 2)
  assert.match(ran.stderr, /could not be written/)
})
