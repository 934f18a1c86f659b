import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import { BusinessError } from '#domain/errors.ts'
import { importGrid, type GridRow } from '#domain/pricing/grid.ts'
import type { GridStep, Price } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'

function grid(steps: readonly GridStep[], fixedAmount?: string): Price {
  return { model: 'grid', steps, ...(fixedAmount === undefined ? {} : { fixedAmount }) }
}

function amount(price: Price, value: number | string, values: Record<string, string> = {}): string {
  return ratePrice(price, new Big(value), { values }).amount.toFixed()
}

const users: GridStep[] = [
  { from: '0', amount: '10', kind: 'fixed' },
  { from: '11', amount: '30', kind: 'fixed' },
  { from: '51', amount: '100', kind: 'fixed' },
]

test('the highest lower bound that is not above the value counts', () => {
  const cases: [value: number, amount: string][] = [
    [5, '10'],
    [10, '10'],
    [11, '30'],
    [500, '100'],
  ]
  for (const steps of [users, users.toReversed()]) {
    for (const [value, expected] of cases) assert.equal(amount(grid(steps), value), expected)
  }
})

test('a value below the first bound costs nothing', () => {
  assert.equal(amount(grid([{ from: '5', amount: '10', kind: 'fixed' }]), 4), '0')
})

test('times the value, the price reached is that of the whole value', () => {
  const steps: GridStep[] = [
    { from: '1', amount: '10', kind: 'times_value' },
    { from: '10', amount: '8', kind: 'times_value' },
  ]
  assert.equal(amount(grid(steps), 9), '90')
  assert.equal(amount(grid(steps), 10), '80')
})

test('each value and each kind is a grid of its own, and they are summed', () => {
  const steps: GridStep[] = [
    { from: '1', amount: '50', kind: 'fixed', value: 'users' },
    { from: '1', amount: '2', kind: 'times_value', value: 'users' },
    { from: '0', amount: '0.5', kind: 'times_value', value: 'disk_gib' },
    { from: '0', amount: '99', kind: 'fixed', value: 'never_recorded' },
  ]
  assert.equal(amount(grid(steps), 0, { users: '20', disk_gib: '40' }), '110')
})

const upperBounds: GridRow[] = [
  { bound: '0', amount: '100', kind: 'fixed' },
  { bound: '10', amount: '10', kind: 'fixed' },
  { bound: '50', amount: '30', kind: 'fixed' },
]

test('a grid of inclusive upper bounds, 0 for above all, bills the same once it is stored by lower bounds', () => {
  const price = grid(importGrid(upperBounds, 'upper', '/grid'), '50')
  const cases: [users: string, amount: string][] = [
    ['5', '60'],
    ['10', '60'],
    ['10.5', '80'],
    ['15', '80'],
    ['50', '80'],
    ['500', '150'],
  ]
  for (const [value, expected] of cases) assert.equal(amount(price, value), expected)
})

test('a grid of lower bounds is stored as it is', () => {
  const rows: GridRow[] = [{ bound: '11', amount: '30', kind: 'fixed', value: 'users' }]
  assert.deepEqual(importGrid(rows, 'lower', ''), [
    { from: '11', amount: '30', kind: 'fixed', value: 'users' },
  ])
})

test('a grid that does not state the form of its bounds is refused', () => {
  assert.throws(
    () => importGrid(upperBounds, undefined, '/grid'),
    (error) => error instanceof BusinessError && error.code === 'grid_bounds_unstated',
  )
})
