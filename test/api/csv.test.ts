import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { toCsv } from '#api/csv.ts'

test('cells are quoted where RFC 4180 wants it, and each row ends with CRLF', () => {
  assert.equal(
    toCsv([
      ['a', 'b "c"', 'd,e'],
      [null, true, 'two\nlines'],
    ]),
    'a,"b ""c""","d,e"\r\n,true,"two\nlines"\r\n',
  )
})

test('a text that a spreadsheet would take for a formula is text there; a number stays exactly what it is', () => {
  const cells = [
    '=1+1',
    '+1',
    '-1+2',
    '@a',
    '\t=1',
    '＝1',
    '-3.50',
    '-0.0000000001',
    '12345678901234567890.5',
  ]
  assert.equal(
    toCsv([cells]),
    "'=1+1,'+1,'-1+2,'@a,'\t=1,'＝1,-3.50,-0.0000000001,12345678901234567890.5\r\n",
  )
})

test('whatever is written is read again as it was, but for the apostrophe before a formula', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', ',', '"', '\r', '\n', '=', '-', '+', '@', '1', '.', "'", ' '),
  })
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { minLength: 1 }), (rows) => {
      const read = parseCsv(toCsv(rows))
      assert.deepEqual(
        read.map((row) => row.length),
        rows.map((row) => row.length),
      )
      for (const [index, row] of rows.entries())
        for (const [at, text] of row.entries()) {
          const found = read[index]?.[at] ?? ''
          assert.ok(found === text || found === `'${text}`, JSON.stringify([text, found]))
          assert.ok(!/^[=+\-@\r\n]/.test(found) || /^-?\d+(\.\d+)?$/.test(found), found)
        }
    }),
  )
})

/** As a reader that knows RFC 4180 and nothing else. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, bare = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare)
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}
