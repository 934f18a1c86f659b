import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { canonicalInvoice, chainedText, type DocumentContent } from '#domain/invoice/hash.ts'

test('names are sorted at every depth, lists keep their order, absent fields are left out', () => {
  const content = {
    total: 1000,
    lines: [{ b: 2, a: 1 }, 'x'],
    note: null,
    Buyer: { name: 'Café "Z"\n' },
    gone: undefined,
  }
  assert.equal(
    canonicalInvoice(content),
    '{"Buyer":{"name":"Café \\"Z\\"\\n"},"lines":[{"a":1,"b":2},"x"],"note":null,"total":1000}',
  )
})

test('a fraction or an unsafe integer has no canonical text', () => {
  assert.throws(() => canonicalInvoice({ amount: 0.1 }), /safe integers/)
  assert.throws(() => canonicalInvoice({ amount: 2 ** 60 }), /safe integers/)
  assert.throws(() => canonicalInvoice(Number.NaN), /safe integers/)
  assert.equal(canonicalInvoice(-0), '0')
})

test('the chain begins with an empty line, and each text names the hash before', () => {
  assert.equal(chainedText(null, '{}'), '\n{}')
  assert.equal(chainedText('ab12', '{}'), 'ab12\n{}')
})

const { content } = fc.letrec<{ content: DocumentContent }>((tie) => ({
  content: fc.oneof(
    { maxDepth: 3 },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('content'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('content'), { maxKeys: 5 }),
  ),
}))

function shuffled(value: DocumentContent, order: (names: string[]) => string[]): DocumentContent {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item: DocumentContent) => shuffled(item, order))
  const fields = new Map(Object.entries(value))
  return Object.fromEntries(
    order([...fields.keys()]).map((name) => [name, shuffled(fields.get(name) ?? null, order)]),
  )
}

test('E-03 equal documents have one text whatever the order of their fields, and it reads back', () => {
  fc.assert(
    fc.property(content, (value) => {
      const text = canonicalInvoice(value)
      assert.equal(canonicalInvoice(shuffled(value, (names) => names.toReversed())), text)
      assert.equal(canonicalInvoice(JSON.parse(text) as DocumentContent), text)
    }),
    { numRuns: 1000 },
  )
})

test('E-03 documents that differ have different texts', () => {
  fc.assert(
    fc.property(content, content, (first, second) => {
      const areEqual = JSON.stringify(first) === JSON.stringify(second)
      if (canonicalInvoice(first) === canonicalInvoice(second)) {
        assert.deepEqual(JSON.parse(canonicalInvoice(first)), JSON.parse(canonicalInvoice(second)))
      } else assert.ok(!areEqual)
    }),
  )
})
