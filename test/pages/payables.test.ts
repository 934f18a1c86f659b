import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { writeUblInvoice } from '#documents/ubl-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText } from './text.ts'

let console: TestConsole
let page = ''
before(async () => {
  console = await createTestConsole()
  const peerId = await insertPeer(console.db)
  await receiveDocument(console.db, peerId, supplierDocument())
  const { id } = await console.db.selectFrom('supplier_invoices').select('id').executeTakeFirstOrThrow()
  page = `/supplier-invoices/${encodeId('supplierInvoice', id)}`
  const note = {
    document: 'inv_01kb0000000000000000000002',
    kind: 'credit_note',
    number: 'UP-2',
    net_minor: 200,
    tax_minor: 0,
    total_minor: 200,
    lines: [],
    taxes: [],
  } as const
  await receiveDocument(console.db, peerId, supplierDocument({ ...note }))
})
after(async () => console.close())

const money = async () => sectionText((await console.get(page)).html, 'money')

test('what is owed is told by age, above the documents that lead to their pages', async () => {
  const { html } = await console.get('/payables')
  assert.match(sectionText(html, 'ageing'), /Upstream .*−2\.00 USD 10\.00 USD All in USD/)
  assert.match(html, new RegExp(`href="${page}">UP-1`))
})

test('a line says its days by the first and the last, as the invoice does, and its price', async () => {
  const { html } = await console.get(page)
  assert.match(sectionText(html, 'lines'), /Hosting 1 to 31 March 2026 1 month at 10\.00 USD 10\.00 USD/)
})

test('a month is named, and a line that is counted as nothing says what helps and by what it is known', async () => {
  const expenses = await console.get('/expenses?month=2026-03')
  assert.match(sectionText(expenses.html, 'expenses'), /What March 2026 cost/)
  assert.match(
    sectionText(expenses.html, 'unmapped'),
    /Net of the line Count as UP-1 : Hosting .*Add a category first/,
  )
  const margins = await console.get('/margins?month=2026-03')
  assert.match(sectionText(margins.html, 'unmatched'), /UP-1 : Hosting matched by its whole text Upstream/)
})

test('a payment is recorded on the page, refused beside its field, and taken back with a reason', async () => {
  const refused = await console.submit(page, `${page}/pay`, { amount: '12.01' })
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'money'), /left to pay of UP-1/)
  assert.equal((await console.submit(page, `${page}/pay`, { amount: '7', reference: 'RUN-1' })).status, 303)
  assert.match(await money(), /Payment RUN-1 .*7\.00 USD Take back… Why the payment is taken back/)
  assert.match(sectionText((await console.get(page)).html, 'standing'), /Left to pay 5\.00 USD/)
  assert.equal((await console.submit(page, `${page}/reverse`, { reason: 'It came back' })).status, 303)
  assert.match(await money(), /7\.00 USD taken back/)
})

test('a credit note of the supplier is set off on the page', async () => {
  const [, creditNote = ''] = /<option value="(sinv_[^"]+)"/.exec((await console.get(page)).html) ?? []
  assert.equal((await console.submit(page, `${page}/set-off`, { credit_note: creditNote })).status, 303)
  assert.match(await money(), /Credit note UP-2 .*2\.00 USD/)
})

test('a supplier without an installation is added on the page, and what it bills recorded, refused beside its field', async () => {
  const supplier = { code: 'power', name: 'Power', currency: 'EUR' }
  assert.equal((await console.submit('/payables', '/payables/supplier', supplier)).status, 303)
  const printed = {
    supplier: 'power',
    kind: 'invoice',
    number: 'R-1',
    issued_on: '2026-03-02',
    lines: 'Rack; 100.00; 19\nDeposit; 20',
    net_minor: '120.00',
    tax_minor: '19.00',
    total_minor: '139.01',
  }
  const refused = await console.submit('/payables', '/payables/record', printed)
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'record'), /net and tax come to 13900, the total says 13901/)
  const right = { ...printed, total_minor: '139.00' }
  assert.equal((await console.submit('/payables', '/payables/record', right)).status, 303)
  assert.match(sectionText((await console.get('/payables')).html, 'list'), /R-1.*Power.*139\.00 EUR/)
})

test('what was misread is voided on its page, with a reason; what a peer sent offers it not', async () => {
  assert.doesNotMatch((await console.get(page)).html, /Void what was misread/)
  const [, misread = ''] =
    /href="(\/supplier-invoices\/sinv_[^"]+)">R-1</.exec((await console.get('/payables')).html) ?? []
  const refused = await console.submit(misread, `${misread}/void`, { reason: ' ' })
  assert.equal(refused.status, 422)
  assert.equal((await console.submit(misread, `${misread}/void`, { reason: 'Another total' })).status, 303)
  const { html } = await console.get(misread)
  assert.match(sectionText(html, 'standing'), /void Another total, by .* Left to pay 0\.00 EUR/)
  assert.doesNotMatch(html, /Void what was misread|Record a payment/)
  assert.match(sectionText((await console.get('/payables')).html, 'list'), /R-1.*void.*Power.*0\.00 EUR/)
})

test('a CSV file and an e-invoice are pasted into the page, refused beside themselves with the place inside', async () => {
  const csv = (amount: string) =>
    `supplier,number,issued_on,description,amount\r\npower,C-1,2026-03-03,Rack,10.00\r\npower,C-2,2026-03-04,Rack,${amount}\r\n`
  const refused = await console.submit('/payables', '/payables/csv', { csv: csv('1.005') })
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'record'), /Row 3, amount: /)
  assert.match(sectionText(refused.html, 'record'), /power,C-2,2026-03-04,Rack,1\.005/)
  assert.doesNotMatch(sectionText(refused.html, 'list'), /C-1/)
  assert.equal((await console.submit('/payables', '/payables/csv', { csv: csv('11.00') })).status, 303)
  assert.match(sectionText((await console.get('/payables')).html, 'list'), /C-2.*11\.00 EUR.*C-1.*10\.00 EUR/)
  const again = await console.submit('/payables', '/payables/csv', { csv: csv('11.00') })
  assert.match(
    sectionText(again.html, 'record'),
    /document_number_taken.*Row 2, number: .*C-1 is recorded already/,
  )

  const send = async (number: string) => {
    const document = supplierDocument({ number, currency: 'EUR' })
    const ubl = writeUblInvoice(document, { corrects: null, prepaidMinor: 0 }).replaceAll('\n', '\r\n')
    return await console.submit('/payables', '/payables/ubl', { supplier: 'power', ubl })
  }
  const taken = await send('C-1')
  assert.equal(taken.status, 422)
  assert.match(sectionText(taken.html, 'record'), /number: .*C-1 is recorded already/)
  const sent = await send('E-1')
  assert.equal(sent.status, 303)
  assert.match((await console.get(sent.headers.get('location') ?? '')).html, /E-1/)
  const broken = await console.submit('/payables', '/payables/ubl', { supplier: 'power', ubl: '<Order/>' })
  assert.match(sectionText(broken.html, 'record'), /ubl_unreadable/)
})

test('what is expected every month is added on its page, shown as missing, and ended there', async () => {
  const page = '/expected-supplier-invoices'
  const at = `${page}?month=2026-03`
  const rack = { supplier: 'power', name: 'Rack 7', begins_on: '2026-03-20', amount_minor: '100.00' }
  const refused = await console.submit(page, page, { ...rack, amount_minor: 'much' })
  assert.equal(refused.status, 422)
  assert.equal((await console.submit(page, page, rack)).status, 303)
  assert.match(sectionText((await console.get(at)).html, 'expected'), /Power Rack 7 .*100\.00 EUR.*missing/)
  const [, action = ''] = /action="([^"]+\/end)"/.exec((await console.get(page)).html) ?? []
  assert.equal((await console.submit(page, action, { ends_on: '2026-03-20' })).status, 303)
  assert.match(sectionText((await console.get(at)).html, 'expected'), /Nothing is expected/)
})
