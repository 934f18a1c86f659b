import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { decodeId } from '#domain/identifier.ts'
import { createKey, createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

let id = ''
let line = ''
beforeEach(async () => {
  const { body } = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'seat', quantity: 5 }],
  })
  id = (body['subscriptions'] as { id: string }[])[0]?.id ?? ''
  const detail = await api.get(`/v1/subscriptions/${id}`)
  line = (detail.body['lines'] as { id: string }[])[0]?.id ?? ''
  api.temporal.behaviour.onUpdate = (update) => Promise.resolve({ requestId: update.updateId, refusal: null })
})

async function activate(): Promise<void> {
  const update = (change: object) =>
    api.db.updateTable('subscriptions').set(change).where('id', '=', decodeId('subscription', id)).execute()
  await update({ phase: 'building' })
  await update({ phase: 'active', activated_at: '2026-01-01T00:00:00Z', starts_on: '2026-01-01' })
}

test('a command reaches the workflow of its subscription, named, with who asked and a steady id', async () => {
  await activate()
  const reply = await api.post(
    `/v1/subscriptions/${id}/change-plan`,
    { line, quantity: 6 },
    { 'idempotency-key': 'six' },
  )
  assert.equal(reply.status, 200)
  const update = api.temporal.updates.at(-1)
  assert.equal(update?.workflowId, `subscription/${id}`)
  assert.equal(update?.name, 'changePlan')
  const { body: me } = await api.get('/v1/me')
  // Histories hold ids only: who asked and why stand in a row.
  assert.match(update?.updateId ?? '', /^req_[0-9a-f]{32}$/)
  const note = await api.db
    .selectFrom('command_notes')
    .select(['actor', 'reason'])
    .where('request_id', '=', update?.updateId ?? '')
    .executeTakeFirst()
  assert.deepEqual(note, { actor: me['id'], reason: null })
  assert.deepEqual(update?.args, [
    {
      kind: 'changePlan',
      subscriptionLineId: line,
      quantity: '6',
      requestId: update?.updateId,
    },
  ])
})

test('what the phase does not allow is refused before anything is sent', async () => {
  const sent = api.temporal.updates.length
  const { status, body } = await api.post(`/v1/subscriptions/${id}/resume`, {})
  assert.deepEqual([status, body['code']], [409, 'action_not_allowed'])
  assert.equal(api.temporal.updates.length, sent)
})

test('the detail lists exactly what can be asked now', async () => {
  assert.deepEqual((await api.get(`/v1/subscriptions/${id}`)).body['allowed_actions'], ['cancel'])
  await activate()
  const { body } = await api.get(`/v1/subscriptions/${id}`)
  assert.deepEqual(body['allowed_actions'], [
    'cancel',
    'change-plan',
    'pause',
    'stop-line',
    'cancel-line',
    'uncancel-line',
    'delay-line',
    'delete-line',
    'plan-successor',
    'transfer',
    'set-term',
    'set-recurrence',
    'suspend',
    'restore',
  ])
})

test('a refusal of the workflow has its own code, in its answer and in its validator', async () => {
  await activate()
  api.temporal.behaviour.onUpdate = (update) =>
    Promise.resolve({
      requestId: update.updateId,
      refusal: { code: 'quantity_unchanged', detail: 'It is 5.' },
    })
  const carried = await api.post(`/v1/subscriptions/${id}/change-plan`, { line, quantity: 5 })
  assert.deepEqual([carried.status, carried.body['code']], [422, 'quantity_unchanged'])
  assert.equal(carried.body['detail'], 'It is 5.')
  api.temporal.behaviour.onUpdate = () =>
    Promise.reject(
      new WorkflowUpdateFailedError(
        'refused',
        ApplicationFailure.nonRetryable('It has ended.', 'subscription_ended'),
      ),
    )
  const validated = await api.post(`/v1/subscriptions/${id}/suspend`, { reason: 'x' })
  assert.deepEqual([validated.status, validated.body['code']], [409, 'subscription_ended'])
})

test('to cancel now is a right of its own; at the end of what is paid needs it not', async () => {
  const scoped = { authorization: `Bearer ${await createKey(api.db, ['subscriptions:write'])}` }
  const sent = api.temporal.updates.length
  for (const when of [{ when: 'now' }, { when: 'date', ends_on: '2199-01-01' }]) {
    const { status, body } = await api.post(`/v1/subscriptions/${id}/cancel`, when, scoped)
    assert.deepEqual([status, body['code']], [403, 'scope_missing'])
    assert.match(String(body['detail']), /subscriptions:cancel_now/)
  }
  assert.equal(api.temporal.updates.length, sent)
  assert.equal((await api.post(`/v1/subscriptions/${id}/cancel`, {}, scoped)).status, 200)
  const both = ['subscriptions:write', 'subscriptions:cancel_now']
  const headers = { authorization: `Bearer ${await createKey(api.db, both)}` }
  assert.equal((await api.post(`/v1/subscriptions/${id}/cancel`, { when: 'now' }, headers)).status, 200)
})

test('why a subscription is cancelled is one of a list, kept with what was said', async () => {
  const why = { reason_code: 'other_provider', reason: 'Half the price' }
  assert.equal((await api.post(`/v1/subscriptions/${id}/cancel`, why)).status, 200)
  const note = await api.db
    .selectFrom('command_notes')
    .select(['reason', 'asked'])
    .where('request_id', '=', api.temporal.updates.at(-1)?.updateId ?? '')
    .executeTakeFirst()
  assert.deepEqual(note, { reason: 'Half the price', asked: { cancelReason: 'other_provider' } })
  const { status, body } = await api.post(`/v1/subscriptions/${id}/cancel`, { reason_code: 'mood' })
  const [first] = body['errors'] as { pointer: string }[]
  assert.deepEqual([status, first?.pointer], [422, '/reason_code'])
})

test('a workflow that is not there yet is a reason to come back, and the key can be used again', async () => {
  api.temporal.behaviour.onUpdate = () => Promise.reject(new WorkflowNotFoundError('none', id, undefined))
  const headers = { 'idempotency-key': 'again' }
  const early = await api.post(`/v1/subscriptions/${id}/cancel`, { when: 'now' }, headers)
  assert.deepEqual([early.status, early.body['code']], [503, 'temporal_unreachable'])
  api.temporal.behaviour.onUpdate = (update) => Promise.resolve({ requestId: update.updateId, refusal: null })
  assert.equal((await api.post(`/v1/subscriptions/${id}/cancel`, { when: 'now' }, headers)).status, 200)
})

test('a command whose answer was lost is sent again under its id, whatever it changed meanwhile', async () => {
  await activate()
  const headers = { 'idempotency-key': 'lost' }
  const body = { reason: 'unpaid' }
  api.temporal.behaviour.onUpdate = () =>
    Promise.reject(new WorkflowUpdateRPCTimeoutOrCancelledError('deadline'))
  const lost = await api.post(`/v1/subscriptions/${id}/pause`, body, headers)
  assert.deepEqual([lost.status, lost.headers.get('retry-after')], [503, '1'])
  await api.db
    .updateTable('subscriptions')
    .set({ phase: 'suspended', suspended_reason: 'unpaid' })
    .where('id', '=', decodeId('subscription', id))
    .execute()
  api.temporal.behaviour.onUpdate = (update) => Promise.resolve({ requestId: update.updateId, refusal: null })
  const again = await api.post(`/v1/subscriptions/${id}/pause`, body, headers)
  assert.deepEqual([again.status, again.body['phase']], [200, 'suspended'])
  const [first, second] = api.temporal.updates.slice(-2)
  assert.equal(first?.updateId, second?.updateId)
  const other = await api.post(`/v1/subscriptions/${id}/pause`, body)
  assert.deepEqual([other.status, other.body['code']], [409, 'action_not_allowed'])
})

test('a subscription that ended between the look and the command has ended', async () => {
  api.temporal.behaviour.onUpdate = async () => {
    await api.db
      .updateTable('subscriptions')
      .set({ phase: 'ended', ended_at: '2026-01-01T00:00:00Z' })
      .where('id', '=', decodeId('subscription', id))
      .execute()
    throw new WorkflowNotFoundError('none', id, undefined)
  }
  const { status, body } = await api.post(`/v1/subscriptions/${id}/cancel`, { when: 'now' })
  assert.deepEqual([status, body['code']], [409, 'subscription_ended'])
})
