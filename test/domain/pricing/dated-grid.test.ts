import assert from 'node:assert/strict'
import test from 'node:test'
import { gridDay, ownGridOn, withApplicationGrid, type DatedGrid } from '#domain/pricing/dated-grid.ts'
import type { GridPrice } from '#domain/pricing/price.ts'
import { catalogProduct } from '#test/support/catalog.ts'

const flatGrid = (amount: string): GridPrice => ({
  model: 'grid',
  steps: [{ from: '0', amount, kind: 'fixed' }],
})

function dated(ownerId: string, startsOn: string, amount: string, currency = 'USD'): DatedGrid {
  return { ownerId, currency, startsOn, price: flatGrid(amount) }
}

const grids = [
  dated('odoo', '2026-04-10', '20'),
  dated('odoo', '2026-01-01', '10'),
  dated('odoo', '2026-01-01', '9', 'EUR'),
  dated('one', '2026-03-01', '5'),
]
const owners = { instanceId: 'one', applicationIds: ['odoo'], currency: 'USD' }

test('a grid prices the periods that begin on its first day or later', () => {
  const amount = (on: string) => withApplicationGrid(catalogProduct('user'), grids, owners, on).basePrice
  assert.deepEqual(amount('2026-04-01'), flatGrid('10'))
  assert.deepEqual(amount('2026-04-10'), flatGrid('20'))
})

test('without a grid of its application in the currency, a product has its own price', () => {
  const product = catalogProduct('user')
  const priced = (asked: object, on: string) =>
    withApplicationGrid(product, grids, { ...owners, ...asked }, on)
  assert.equal(priced({}, '2025-12-31'), product)
  assert.equal(priced({ currency: 'CHF' }, '2026-05-01'), product)
  assert.deepEqual(priced({ currency: 'EUR' }, '2026-05-01').currency, 'EUR')
})

test('an instance has a grid of its own from its day on, and no other has it', () => {
  assert.equal(ownGridOn(grids, owners, '2026-02-01'), undefined)
  assert.deepEqual(ownGridOn(grids, owners, '2026-03-01'), flatGrid('5'))
  assert.equal(ownGridOn(grids, { ...owners, instanceId: 'other' }, '2026-05-01'), undefined)
  assert.equal(ownGridOn(grids, { ...owners, instanceId: null }, '2026-05-01'), undefined)
})

test('the grid of a period is that of its first day, of the first one that of the line’s', () => {
  assert.equal(gridDay({ firstStartsOn: '2026-01-20' }, { start: '2026-03-01' }), '2026-03-01')
  assert.equal(gridDay({ firstStartsOn: '2026-03-20' }, { start: '2026-03-01' }), '2026-03-20')
})
