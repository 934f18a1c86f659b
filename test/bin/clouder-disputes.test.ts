import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { receiveDispute } from '#db/received-dispute.ts'
import { newId } from '#db/identifier.ts'
import { encodeId } from '#domain/identifier.ts'
import { serveTestConsole, type ServedConsole } from '#test/pages/console.ts'
import { runClouder } from '#test/support/clouder.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'

let served: ServedConsole
let folder: string
before(async () => {
  served = await serveTestConsole()
  folder = mkdtempSync(path.join(tmpdir(), 'clouder-disputes-'))
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await served.close()
})

async function clouder(...args: string[]) {
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return await runClouder(['disputes', ...args], env)
}

test('a dispute is raised and withdrawn, and one of a customer listed and answered, by commands', async () => {
  await receiveDocument(served.db, await insertPeer(served.db), supplierDocument())
  const invoice = await served.db.selectFrom('supplier_invoices').select('id').executeTakeFirstOrThrow()
  const supplied = encodeId('supplierInvoice', invoice.id)
  const raised = await clouder('raise', supplied, '--reason', 'Billed twice', '--line', '1', '--json')
  assert.equal(raised.code, 0, raised.stderr)
  const { id, lines } = JSON.parse(raised.stdout) as { id: string; lines: number[] }
  assert.deepEqual(lines, [1])
  const withdrawn = await clouder('withdraw', id)
  assert.match(withdrawn.stdout, /state\twithdrawn/)

  const peerId = await insertPeer(served.db, { role: 'customer', name: 'Reseller' })
  const said = {
    dispute: encodeId('dispute', newId()),
    document: encodeId('invoice', newId()),
    number: 'INV-1',
    reason: 'Wrong',
    lines: [],
    raised_at: '2026-04-01T00:00:00Z',
    withdrawn_at: null,
    outcome: null,
    answer: null,
    answered_at: null,
  }
  await served.db.transaction().execute(async (tx) => await receiveDispute(tx, { peerId, said }))
  const listed = await clouder('--raised', 'there', '--state', 'open')
  assert.match(listed.stdout, new RegExp(`${said.dispute}\\tINV-1\\tReseller\\tthere\\t.*\\topen\\tWrong`))
  const answered = await clouder('answer', said.dispute, 'rejected', '--text', 'It is right')
  assert.match(answered.stdout, /state\trejected\nreason\tWrong\nanswer\tIt is right/)
  const again = await clouder('answer', said.dispute, 'accepted')
  assert.notEqual(again.code, 0)
  assert.match(again.stderr, /dispute_closed/)
})
