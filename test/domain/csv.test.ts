import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { toCsv } from '#api/csv.ts'
import { readCsv } from '#domain/csv.ts'

test('cells are read as RFC 4180 writes them, with either end of a line', () => {
  assert.deepEqual(readCsv('\uFEFFa,"b ""c""",\r\n\n1,"2\r\n3",4\nlast'), [
    ['a', 'b "c"', ''],
    ['1', '2\r\n3', '4'],
    ['last'],
  ])
  assert.deepEqual(readCsv(''), [])
})

test('a quote that is not closed, or in the midst of a cell, is refused', () => {
  for (const text of ['a,"b', 'a,b"c"', '"a"b,c'])
    assert.throws(() => readCsv(text), { code: 'csv_malformed' })
})

test('what is written is read back', () => {
  const cell = fc
    .string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', ' ') })
    .map((text) => `x${text}`)
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 1 })), (rows) => {
      assert.deepEqual(readCsv(toCsv(rows)), rows)
    }),
  )
})
