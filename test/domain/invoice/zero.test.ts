import assert from 'node:assert/strict'
import test from 'node:test'
import { computeDocument, isOfNothing } from '#domain/invoice/document.ts'
import { afterBillingOf, billableLine, billOn, documentInput } from '#test/support/billing.ts'

const on = '2026-01-01'

test('E-26 an invoice is of nothing where every line is 0.00', () => {
  const free = computeDocument(documentInput([billableLine({ unitPrice: '0' })], on))
  assert.ok(free)
  assert.equal(isOfNothing(free), true)
  const paid = computeDocument(documentInput([billableLine({ unitPrice: '0.01' })], on))
  assert.ok(paid)
  assert.equal(isOfNothing(paid), false)
})

test('E-26 what is charged and credited to 0.00 is something', () => {
  const line = billableLine()
  const ended = { ...afterBillingOf(line, billOn([line], on)), endsOn: on }
  const other = billableLine({ id: 'other' })
  const draft = computeDocument(documentInput([ended, other], on))
  assert.ok(draft)
  assert.deepEqual(
    draft.lines.map(({ amountMinor }) => amountMinor),
    [-1_000, 1_000],
  )
  assert.equal(draft.totalMinor, 0)
  assert.equal(isOfNothing(draft), false)
})
