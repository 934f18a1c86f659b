import assert from 'node:assert/strict'
import test from 'node:test'
import { dueParts } from '#domain/invoice/due.ts'
import type { UsagePart } from '#domain/invoice/lines.ts'
import { presentUsage, sayPresentUsage, type PresentTerms } from '#domain/invoice/present-usage.ts'
import { billableLine, usageOf } from '#test/support/billing.ts'

/** Network at 1.00 a GiB, 100 GiB of a month included, from 1 May. */
const line = billableLine({
  billingType: 'usage',
  billingTiming: 'arrears',
  metric: 'network',
  unit: 'GiB',
  price: { model: 'per_unit', unitAmount: '1', includedQuantity: '100' },
  startsOn: '2026-05-01',
  billingCycleAnchor: '2026-05-01',
})

function partOfMay(): UsagePart {
  const [part] = dueParts([line], '2026-06-01')
  return part?.kind === 'usage' ? part : assert.fail('no usage is due')
}

const terms: PresentTerms = { currency: 'USD', timeZone: 'UTC', at: '2026-05-17T07:00:00Z', isSum: true }
const used = (quantity: string) => ({ usage: usageOf(quantity) })

test('D-41 62 of 100 GiB by the 17th go on to 118 GiB on 31 May, which cost 18.00', () => {
  const present = presentUsage(partOfMay(), used('62'), terms)
  assert.equal(sayPresentUsage(present, 'USD'), '62 of 100 GiB. At this pace 118 GiB on 31 May: 18.00 USD.')
  assert.deepEqual([present.costMinor, present.projection?.costMinor], [0, 1_800])
})

test('D-41 of the first hour nothing is foreseen, and what was used is said with its cost', () => {
  const present = presentUsage(partOfMay(), used('103'), { ...terms, at: '2026-05-01T00:30:00Z' })
  assert.equal(present.projection, null)
  assert.equal(sayPresentUsage(present, 'USD'), '103 of 100 GiB: 3.00 USD so far.')
})

test('D-41 a highest value is taken to stay as it is', () => {
  const present = presentUsage(partOfMay(), used('62'), { ...terms, isSum: false })
  assert.equal(present.projection?.quantity, '62')
})
