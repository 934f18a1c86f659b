import type { Diary } from '#test/support/customer-diary.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { workflowIds } from '#workflows/contract.ts'
import type { Save } from './limit-lives.ts'

/** Another installation is asked whether it has what it was billed: it says so, and once it is away, nobody does. */
export async function askedPeerLife(parent: TestInstallation, _diary: Diary, save: Save): Promise<void> {
  const child = await startInstallation({ isServed: true })
  try {
    await asked(parent, child, save)
  } finally {
    await child.stop()
  }
}

async function asked(parent: TestInstallation, child: TestInstallation, save: Save): Promise<void> {
  const customer = 'harbour-bakery'
  const invited = await parent.call('POST', '/v1/peers/invitations', { role: 'customer', customer })
  const { invitation, peer } = invited.body
  await child.call('POST', '/v1/peers', { invitation })
  const relay = async () => await Promise.all([parent.relay(), child.relay()])
  await until('they are paired', async () => {
    await relay()
    return (await parent.call('GET', `/v1/peers/${String(peer)}`)).body['state'] === 'active'
  })
  const { id: customerId } = await parent.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', customer)
    .executeTakeFirstOrThrow()
  await insertOneOffInvoice(parent.db, customerId, [['1', '1.00']])
  await until('it has come', async () => {
    await relay()
    return (await child.db.selectFrom('supplier_invoices').select('id').execute()).length === 1
  })
  const prove = async () => (await parent.call('POST', `/v1/peers/${String(peer)}/proofs`, {})).body
  const answered: Json = await prove()
  if (answered['equal'] !== true) throw new Error(JSON.stringify(answered))
  await save('peer-question-answered', await askedLast(parent))
  child.door?.lead(async () => new Response('', { status: 503 }))
  const unanswered: Json = await prove()
  if (unanswered['code'] !== 'peer_unreachable') throw new Error(JSON.stringify(unanswered))
  await save('peer-question-unanswered', await askedLast(parent))
}

async function askedLast({ db }: TestInstallation): Promise<string> {
  const { id } = await db
    .selectFrom('peer_questions')
    .select('id')
    .where('is_asked_here', '=', true)
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  return workflowIds.peerQuestion(id)
}
