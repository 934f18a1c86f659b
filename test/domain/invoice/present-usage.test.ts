import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { dueParts } from '#domain/invoice/due.ts'
import type { UsagePart } from '#domain/invoice/lines.ts'
import {
  presentUsage,
  readableQuantity,
  sayPresentUsage,
  type PresentTerms,
} from '#domain/invoice/present-usage.ts'
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

test('D-41 what is counted one by one is said in the plural, and thousands are set apart', () => {
  const part = partOfMay()
  const say = (unit: string, quantity: string, includedQuantity?: string) => {
    const price = {
      model: 'per_unit',
      unitAmount: '0.001',
      ...(includedQuantity && { includedQuantity }),
    } as const
    const line = { ...part.line, unit, price }
    return sayPresentUsage(
      presentUsage({ ...part, line }, { usage: { ...usageOf(quantity), unit } }, terms),
      'USD',
    )
  }
  assert.equal(
    say('request', '12005.5'),
    '12,006 requests. At this pace 22,844 requests on 31 May: 22.84 USD.',
  )
  assert.equal(say('user', '1'), '1 user. At this pace 1.9 users on 31 May: 0.00 USD.')
  assert.equal(
    say('request', '2500', '1000'),
    '2,500 of 1,000 requests. At this pace 4,757 requests on 31 May: 3.76 USD.',
  )
})

test('D-41 a highest value is taken to stay as it is', () => {
  const present = presentUsage(partOfMay(), used('62'), { ...terms, isSum: false })
  assert.equal(present.projection?.quantity, '62')
})

test('D-41 of little, as much is said and foreseen as there is: 0.004 TiB of May are no 0 TiB', () => {
  const part = partOfMay()
  const dear = {
    ...part,
    line: { ...part.line, unit: 'TiB', price: { model: 'per_unit', unitAmount: '100' } as const },
  }
  const present = presentUsage(dear, { usage: { ...usageOf('0.0041237'), unit: 'TiB' } }, terms)
  assert.equal(sayPresentUsage(present, 'USD'), '0.00412 TiB. At this pace 0.00785 TiB on 31 May: 0.79 USD.')
  const atOnce = presentUsage(
    dear,
    { usage: { ...usageOf('0.5'), unit: 'TiB' } },
    { ...terms, at: '2026-05-01T00:30:00Z' },
  )
  assert.equal(sayPresentUsage(atOnce, 'USD'), '0.5 TiB: 50.00 USD so far.')
})

test('D-41 no less is foreseen than was used already', () => {
  const present = presentUsage(partOfMay(), used('100.4'), { ...terms, at: '2026-05-31T23:59:00Z' })
  assert.equal(present.costMinor, 40)
  assert.deepEqual([present.projection?.quantity, present.projection?.costMinor], ['100.4', 40])
})

test('a quantity is said with as many digits as somebody reads, and never as none', () => {
  const said = ['0', '118.4', '99.999', '11.847', '0.5', '0.126', '0.00004999', '1e-30', '123456789012345678']
  assert.deepEqual(said.map(readableQuantity), [
    '0',
    '118',
    '100',
    '11.85',
    '0.5',
    '0.13',
    '0.00005',
    new Big('1e-30').toFixed(),
    '123456789012345678',
  ])
})
