import assert from 'node:assert/strict'
import test from 'node:test'
import { productOfInterval } from '#domain/product-family.ts'
import { catalogOf, catalogProduct } from '#test/support/catalog.ts'

const quarter = { count: 1, unit: 'quarter' } as const
const inQuarters = { count: 3, unit: 'month' } as const
const care = catalogProduct('care')
const careQuarter = catalogProduct('care-quarter', { variantOf: 'care', recurrence: quarter })

function find(...others: readonly ReturnType<typeof catalogProduct>[]): string | undefined {
  return productOfInterval(catalogOf([care, ...others]), care, inQuarters)?.id
}

test('C-14 the variant that is sold by the quarter is what a monthly line becomes, and back', () => {
  assert.equal(find(careQuarter), 'care-quarter')
  const back = productOfInterval(catalogOf([care, careQuarter]), careQuarter, { count: 1, unit: 'month' })
  assert.equal(back?.id, 'care')
})

test('none fits that is of another family, archived, of another kind or unit, or builds something', () => {
  assert.equal(find(), undefined)
  const like = (overrides: Parameters<typeof catalogProduct>[1]) =>
    catalogProduct('other', { variantOf: 'care', recurrence: quarter, ...overrides })
  for (const other of [
    like({ variantOf: null }),
    like({ isArchived: true }),
    like({ billingType: 'usage' }),
    like({ unit: 'user' }),
    like({ applicationIds: ['web'] }),
  ])
    assert.equal(find(other), undefined)
})

test('of two that fit a person has to choose, unless one is the product itself', () => {
  const second = catalogProduct('care-large', { variantOf: 'care', recurrence: quarter })
  assert.equal(find(careQuarter, second), undefined)
  const own = productOfInterval(catalogOf([care, careQuarter, second]), second, inQuarters)
  assert.equal(own?.id, 'care-large')
})
