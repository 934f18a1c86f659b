import assert from 'node:assert/strict'
import test from 'node:test'
import {
  afterBilling,
  emptyAgenda,
  isReached,
  nextDueDocument,
  nextTurnMs,
  type Agenda,
} from '#domain/agenda.ts'
import { settlementJitterMs } from '#domain/subscription.ts'

const atOnce = { subscriptionId: 'sub_1', windowMs: 0 }
const spread = { subscriptionId: 'sub_1', windowMs: 1_000 }
const jitterMs = settlementJitterMs('sub_1', 1_000)
const monthly = { documentId: 'doc_month', periodIndex: 3, dueAtMs: 5_000 }
const yearly = { documentId: 'doc_year', periodIndex: 0, dueAtMs: 4_000 }
const agenda: Agenda = { documents: [monthly, yearly], endsAtMs: null, changeAtMs: null }

test('a subscription with nothing on its calendar waits for commands only', () => {
  assert.equal(nextTurnMs(emptyAgenda, spread), null)
})

test('the next turn is the earliest of documents, end and change', () => {
  assert.equal(nextTurnMs(agenda, atOnce), 4_000)
  assert.equal(nextTurnMs({ ...agenda, changeAtMs: 3_000 }, atOnce), 3_000)
  assert.equal(nextTurnMs({ ...agenda, changeAtMs: 3_000, endsAtMs: 2_000 }, atOnce), 2_000)
})

test('documents wait their share of the settlement window, the end and a change do not', () => {
  assert.ok(jitterMs > 0)
  assert.equal(nextTurnMs(agenda, spread), 4_000 + jitterMs)
  assert.equal(nextTurnMs({ ...agenda, endsAtMs: 4_000 }, spread), 4_000)
  assert.equal(nextDueDocument(agenda, spread, 4_000 + jitterMs - 1), undefined)
  assert.deepEqual(nextDueDocument(agenda, spread, 4_000 + jitterMs), yearly)
})

test('of several due documents the oldest comes first', () => {
  assert.deepEqual(nextDueDocument(agenda, atOnce, 9_000), yearly)
})

test('after billing a document stands with its next period, or not at all', () => {
  const next = { periodIndex: 1, dueAtMs: 8_000 }
  assert.deepEqual(afterBilling(agenda, 'doc_year', next).documents, [
    monthly,
    { documentId: 'doc_year', ...next },
  ])
  assert.deepEqual(afterBilling(agenda, 'doc_year', null).documents, [monthly])
  assert.deepEqual(agenda.documents, [monthly, yearly])
})

test('a moment is reached on itself, and what has no moment never is', () => {
  assert.equal(isReached(5, 4), false)
  assert.equal(isReached(5, 5), true)
  assert.equal(isReached(null, Number.MAX_SAFE_INTEGER), false)
})
