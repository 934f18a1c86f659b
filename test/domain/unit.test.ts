import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { checkConvertible, convertUnit, getUnit, isWholeUnit, unitNames } from '#domain/unit.ts'

const conversions: [quantity: string, from: string, to: string, expected: string][] = [
  ['2048', 'MiB', 'GiB', '2'],
  ['500000', 'MiB', 'GiB', '488.28125'],
  ['1', 'GB', 'GiB', '0.931322574615478515625'],
  ['1', 'GiB', 'B', '1073741824'],
  ['1', 'B', 'TiB', '0.0000000000009094947017729282379150390625'],
  ['90', 'minute', 'hour', '1.5'],
  ['5', 'user', 'user', '5'],
]

for (const [quantity, from, to, expected] of conversions) {
  test(`${quantity} ${from} are ${expected} ${to}`, () => {
    assert.equal(convertUnit(new Big(quantity), from, to).toFixed(), expected)
  })
}

test('units of different dimensions do not convert', () => {
  assert.throws(() => convertUnit(new Big(1), 'user', 'GiB'), { code: 'unit_not_convertible' })
  assert.throws(() => checkConvertible('hour', 'request'), { code: 'unit_not_convertible' })
})

test('a unit that the table lacks is refused', () => {
  assert.throws(() => getUnit('furlong'), { code: 'unit_unknown' })
  assert.throws(() => convertUnit(new Big(1), 'GiB', 'gib'), { code: 'unit_unknown' })
  assert.throws(() => getUnit('toString'), { code: 'unit_unknown' })
})

test('users, e-mail accounts and pieces are sold whole, GiB are not', () => {
  assert.deepEqual(
    unitNames.filter((unit) => isWholeUnit(unit)),
    ['user', 'e-mail account', 'piece'],
  )
})

test('data converts into a larger unit and back without loss', () => {
  const unit = fc.constantFrom('KiB', 'MiB', 'GiB', 'TiB', 'KB', 'MB', 'GB', 'TB')
  fc.assert(
    fc.property(fc.maxSafeNat(), unit, (bytes, larger) => {
      const there = convertUnit(new Big(bytes), 'B', larger)
      assert.equal(convertUnit(there, larger, 'B').toFixed(), String(bytes))
    }),
  )
})
