import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { letPeerGo, pairInstance, unpairInstance } from '#activities/instance-peer.ts'
import { billFinal } from '#db/billing.ts'
import { getBuildStep } from '#db/build-step.ts'
import { openBuildOrder } from '#db/build.ts'
import { newId } from '#db/identifier.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { pairPeer } from '#db/peer-pairing.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { haltPeer } from '#db/peer.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { openTask } from '#db/task.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import type { PeerStep } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import { writeInvitation, type PeerRole } from '#domain/peer.ts'
import { firstUnderstanding } from '#domain/peer-message.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { until } from '#test/support/installation.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { installationKey } from '#test/support/workers.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const ctx: RunnerContext = { abortSignal: new AbortController().signal, secrets: {}, onProgress: () => {} }
const url = 'http://127.0.0.1:20001'

/** An instance that is built and would print such an invitation. */
async function built(
  printed: { url?: string; role?: PeerRole; text?: string } = {},
  sold: { customer?: string; now?: string } = {},
) {
  const { db } = seller
  await db.updateTable('peers').set({ state: 'closed', closed_at: new Date().toISOString() }).execute()
  const subscriptionId = await seller.sell({
    kit: 'odoo-config-1',
    now: new Date().toISOString(),
    ...sold,
  })
  const instance = await getDeployedInstance(db, await findInstanceId(db, subscriptionId))
  const order = await openBuildOrder(db, subscriptionId, 'build')
  const step = await getBuildStep(db, order.steps[0]?.id ?? '')
  const plan: PeerStep = {
    kind: 'peer',
    name: 'acme_shop',
    title: 'Peer',
    labels: {},
    container: 'acme_shop_api',
    command: ['invite'],
    url,
  }
  let asked = 0
  const invite = () => {
    asked += 1
    const word = writeInvitation({
      url: printed.url ?? url,
      peer: encodeId('peer', newId()),
      role: printed.role ?? 'customer',
      code: 'code',
    })
    return {
      argv: [],
      durationMs: 1,
      exitCode: 0,
      stdout: printed.text ?? JSON.stringify({ invitation: word }),
      stderr: '',
    }
  }
  const runner = { ...createDryRunRunner(), execute: async () => Promise.resolve(invite()) }
  const deps = { db, runner, installationKey }
  const peer = async () =>
    await db
      .selectFrom('peers')
      .selectAll()
      .where('instance_id', '=', instance.id)
      .orderBy('created_at', 'desc')
      .executeTakeFirst()
  const answer = async () => {
    const { id, other_peer_id: otherPeerId } = await until('it is accepted', peer, 5_000)
    const other = {
      installationId: newId(),
      otherPeerId: otherPeerId ?? '',
      name: 'Child',
      url,
      currency: 'USD',
    }
    const publicKey = Buffer.from(newId().replaceAll('-', '').repeat(2), 'hex')
    await db.transaction().execute(async (tx) => {
      const of = { ...other, publicKey, customer: null, understands: firstUnderstanding, above: [] }
      await pairPeer(tx, id, of, new Date().toISOString())
    })
    return id
  }
  const pair = async () => await pairInstance(deps, { plan, instance }, ctx)
  return { deps, step, instance, subscriptionId, pair, peer, answer, asked: () => asked }
}

/** One that was paired and is to end, with a message that waits. */
async function ending() {
  const sold = await built()
  const [, id] = await Promise.all([sold.pair(), sold.answer()])
  const { db } = seller
  await db.transaction().execute(async (tx) => {
    await queuePeerMessages(tx, id, [{ kind: 'document', subjectId: newId(), content: null }])
  })
  const deliver = async () =>
    await db
      .updateTable('peer_messages')
      .set({ delivered_at: new Date().toISOString(), sha256: Buffer.alloc(32) })
      .where('peer_id', '=', id)
      .execute()
  return { ...sold, deliver, letGo: async () => await letPeerGo(sold.deps, sold.step, ctx) }
}

test('an installation that was built is asked once for an invitation, and its customer has a peer; a second run finds it', async () => {
  const { pair, peer, answer, asked, instance } = await built()
  const [said] = await Promise.all([pair(), answer()])
  assert.match(said, /^peer_\w+ is active$/)
  assert.equal(await pair(), said)
  assert.equal(asked(), 1)
  const row = await peer()
  assert.deepEqual(
    [row?.role, encodeId('customer', row?.customer_id ?? '')],
    ['customer', instance.planned.customer],
  )
})

test('an invitation that leads elsewhere, bills us or is none is refused, and nobody is spoken to', async () => {
  for (const [printed, code] of [
    [{ url: 'http://127.0.0.1:1' }, 'peer_url_refused'],
    [{ role: 'supplier' }, 'invitation_invalid'],
    [{ text: 'ready' }, 'invitation_invalid'],
  ] as const) {
    const { pair, peer } = await built(printed)
    await assert.rejects(pair(), { code })
    assert.equal(await peer(), undefined)
  }
})

test('a customer with another peer has no second one; one that was paired by hand at this address is taken', async () => {
  const first = await built()
  const [, id] = await Promise.all([first.pair(), first.answer()])
  const second = await built()
  const reopen = async (of: { url: string }) =>
    await seller.db
      .updateTable('peers')
      .set({ state: 'active', closed_at: null, instance_id: null, ...of })
      .where('id', '=', id)
      .execute()
  await reopen({ url: 'http://127.0.0.1:1' })
  await assert.rejects(second.pair(), { code: 'peer_taken' })
  await reopen({ url })
  assert.equal(await second.pair(), `${encodeId('peer', id)} is active`)
})

test('refused over there, its peer is closed, and the next try invites anew', async () => {
  const { pair, peer, asked } = await built()
  const refused = assert.rejects(pair(), { code: 'peer_refuses', message: /currency/ })
  const { id } = await until('it is accepted', peer, 5_000)
  const task = { kind: 'peer_halted', subjectKind: 'peer', subject: 'refused' } as const
  await openTask(seller.db, { ...task, subjectId: id, detail: 'Neither side has said a currency.' })
  await refused
  const row = await peer()
  assert.deepEqual([row?.state, row?.closed_reason], ['closed', 'Neither side has said a currency.'])
  const lapsed = assert.rejects(pair(), { code: 'invitation_expired' })
  await until('it is invited again', async () => asked() === 2, 5_000)
  const next = await until('another peer', async () => {
    const found = await peer()
    return found?.state === 'accepting' && found
  })
  await seller.db
    .updateTable('peers')
    .set({ created_at: '2026-01-01T00:00:00Z' })
    .where('id', '=', next.id)
    .execute()
  await lapsed
})

test('the undo of the step closes the peer', async () => {
  const { pair, peer, answer, deps, step } = await built()
  assert.equal(await unpairInstance(deps, step), 'nothing to undo')
  await Promise.all([pair(), answer()])
  assert.match(await unpairInstance(deps, step), /is closed/)
  assert.equal((await peer())?.state, 'closed')
})

test('one that ends is let go once it has all that waits for it, with the reason', async () => {
  const { peer, deliver, letGo } = await ending()
  const going = letGo()
  assert.equal((await peer())?.state, 'active')
  await deliver()
  assert.match(await going, /it has all that was to be sent/)
  assert.deepEqual([(await peer())?.state, await letGo()], ['closed', 'there is no peer any more'])
})

test('what does not take its last bill for an hour, or takes nothing, is decided about by a person', async () => {
  const { db } = seller
  const silent = await ending()
  await db
    .updateTable('build_orders')
    .set({ begun_at: new Date(Date.now() - 61 * 60_000).toISOString(), state: 'running' })
    .where('id', '=', silent.step.buildOrderId)
    .execute()
  await assert.rejects(silent.letGo(), { code: 'peer_messages_wait', message: /1 messages wait/ })
  const { id } = await until('its peer', silent.peer)
  await db.transaction().execute(async (tx) => haltPeer(tx, id, { subject: 'halted', reason: 'conflict' }))
  await assert.rejects(silent.letGo(), { code: 'peer_halted', message: /conflict/ })
  await db
    .insertInto('build_commands')
    .values({
      id: newId(),
      build_order_id: silent.step.buildOrderId,
      build_step_id: silent.step.id,
      kind: 'skip',
      actor: 'ann',
      reason: 'It is broken.',
    })
    .execute()
  assert.match(await silent.letGo(), /Skipped by ann: It is broken\./)
  assert.equal((await silent.peer())?.closed_reason, 'Skipped by ann: It is broken.')
})

test('what was a draft when it was cancelled is final, and has come, before it is let go (G-17)', async () => {
  const { db } = seller
  const sold = await built({}, { customer: 'north-clinic', now: '2026-03-01T08:00:00Z' })
  const { subscriptionId } = sold
  const [documentId = ''] = await listDocumentIds(db, subscriptionId)
  await billDue(db, documentId, '2026-03-01T09:00:00Z')
  const listInvoices = async () =>
    await db
      .selectFrom('invoices')
      .select(['id', 'finalized_at'])
      .where('customer_id', '=', (eb) =>
        eb.selectFrom('subscriptions').select('customer_id').where('id', '=', subscriptionId),
      )
      .execute()
  const earlier = new Set((await listInvoices()).map(({ id }) => id))
  const [, id] = await Promise.all([sold.pair(), sold.answer()])
  await db.updateTable('installation').set({ draft_days: 2 }).execute()
  await billDue(db, documentId, '2026-04-01T00:00:00Z')
  const draft = await db
    .selectFrom('invoices')
    .select('id')
    .where('document_id', '=', documentId)
    .where('finalized_at', 'is', null)
    .executeTakeFirstOrThrow()
  const waiting = async () =>
    (
      await db
        .selectFrom('peer_messages')
        .select('subject_id')
        .where('peer_id', '=', id)
        .where('kind', '=', 'document')
        .where('delivered_at', 'is', null)
        .orderBy('sequence')
        .execute()
    ).map(({ subject_id: subjectId }) => subjectId)
  assert.deepEqual(await waiting(), [], 'a draft is not sent')

  const now = '2026-04-01T08:00:00Z'
  const command = { subscriptionId, requestId: 'stop', now, actor: 'test' }
  await cancelSubscription(db, command, { when: 'now', reason: 'moved' })
  await billFinal(db, subscriptionId, now)
  const final = (await listInvoices()).filter((one) => !earlier.has(one.id))
  assert.ok(final.length > 1 && final.every(({ finalized_at: at }) => at !== null), JSON.stringify(final))
  const sent = await waiting()
  assert.equal(sent[0], draft.id, 'what was the draft comes first')
  for (const one of final) assert.ok(sent.includes(one.id), JSON.stringify([one, sent]))

  const going = letPeerGo(sold.deps, sold.step, ctx)
  assert.equal((await sold.peer())?.state, 'active')
  await db
    .updateTable('peer_messages')
    .set({ delivered_at: new Date().toISOString(), sha256: Buffer.alloc(32) })
    .where('peer_id', '=', id)
    .execute()
  assert.match(await going, /it has all that was to be sent/)
  assert.equal((await sold.peer())?.state, 'closed')
})
