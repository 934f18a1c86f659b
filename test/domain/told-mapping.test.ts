import assert from 'node:assert/strict'
import test from 'node:test'
import { toldMappings } from '#domain/told-mapping.ts'

const category = { code: 'hosting', name: 'Hosting' }
const product = (value: string) => ({ matches: 'product_code', value, ...category }) as const

test('what is mapped by product is told; what is by the text of a line, and what no document names, stays our own', () => {
  const text = { matches: 'description', value: 'Support by hand', ...category } as const
  const unnamed = [product('x'.repeat(101)), product('a\nb')]
  assert.deepEqual(toldMappings([product('server-l'), text, ...unnamed]), {
    total: 1,
    mappings: [{ product_code: 'server-l', category }],
  })
  assert.deepEqual(toldMappings([text]), { total: 0, mappings: [] })
})

test('of more than can be told the first are, with how many there are', () => {
  const { total, mappings } = toldMappings(Array.from({ length: 1_001 }, (_, index) => product(`p-${index}`)))
  assert.deepEqual([total, mappings.length, mappings.at(-1)?.product_code], [1_001, 1_000, 'p-999'])
})
