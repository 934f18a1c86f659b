import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { receiveSupplierFiles } from '#db/supplier-file.ts'
import { encodeId } from '#domain/identifier.ts'
import { serveTestConsole, type ServedConsole } from '#test/pages/console.ts'
import { runClouder } from '#test/support/clouder.ts'
import { insertFinalizedInvoice, type MadeInvoice } from '#test/support/finalized-invoice.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
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

async function clouder(...args: string[]) {
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return await runClouder(args, env)
}
const run = async (...args: string[]) => await clouder('invoices', 'pdf', ...args)

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

test('invoices ubl writes what machines read of the document', async () => {
  const id = await insertFinalizedInvoice(served.db, customerId, { ...made, number: 'INV-9' })
  const file = path.join(folder, 'march.xml')
  const ran = await clouder('invoices', 'ubl', encodeId('invoice', id), '--output', file)
  assert.deepEqual([ran.code, ran.stdout.trim()], [0, file], ran.stderr)
  assert.match(readFileSync(file, 'utf8'), /<cbc:ID>INV-9<\/cbc:ID>/)
})

test('supplier-invoices file writes a file as the supplier sent it', async () => {
  const peerId = await insertPeer(served.db)
  const document = supplierDocument()
  await receiveDocument(served.db, peerId, document)
  const bytes = Buffer.from('%PDF-1.7 of a supplier')
  const told = {
    document: document.document,
    media_type: 'application/pdf',
    name: 'UP-1.pdf',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    data: bytes.toString('base64'),
    missing: null,
  } as const
  const now = '2026-03-01T00:00:00Z'
  await served.db
    .transaction()
    .execute(async (tx) => await receiveSupplierFiles(tx, { peerId, files: [told], now }))
  const { id } = await served.db.selectFrom('supplier_invoices').select('id').executeTakeFirstOrThrow()
  const file = path.join(folder, 'supplied.pdf')
  const ran = await clouder('supplier-invoices', 'file', encodeId('supplierInvoice', id), '--output', file)
  assert.deepEqual([ran.code, ran.stdout.trim()], [0, file], ran.stderr)
  assert.ok(readFileSync(file).equals(bytes))
})

test('supplier-invoices import-csv checks a file, records it, and says why it is refused', async () => {
  await served.post('/v1/suppliers', { code: 'power', name: 'Power', currency: 'EUR' })
  const file = path.join(folder, 'march.csv')
  writeFileSync(file, 'supplier,number,issued_on,description,amount\npower,C-1,2026-03-02,Rack,100.00\n')
  const importCsv = async (...options: string[]) =>
    await clouder('supplier-invoices', 'import-csv', file, ...options)
  assert.match((await importCsv('--dry-run')).stderr, /1 would be recorded\./)
  const { stdout, stderr } = await importCsv()
  assert.match(stderr, /1 recorded\./)
  assert.match(stdout, /sinv_\w+\tC-1\tPower\t.*100\.00/)
  const again = await importCsv()
  assert.notEqual(again.code, 0)
  assert.match(again.stderr, /document_number_taken[^]*C-1 is recorded already/)
})

test('supplier-invoices void takes what was misread out of the books, with a reason', async () => {
  const listed = (await served.get('/v1/supplier-invoices')).body['data'] as Record<string, unknown>[]
  const id = String(listed.find(({ number }) => number === 'C-1')?.['id'])
  const bare = await clouder('supplier-invoices', 'void', id)
  assert.match(bare.stderr, /--reason/)
  const ran = await clouder('supplier-invoices', 'void', id, '--reason', 'misread the total')
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(`${ran.stdout}${ran.stderr}`, /void: misread the total/)
  const again = await clouder('supplier-invoices', 'void', id, '--reason', 'twice')
  assert.match(again.stderr, /supplier_invoice_void/)
})
