import assert from 'node:assert/strict'
import test from 'node:test'
import {
  largestDocumentBytes,
  mostDocumentLines,
  neededFor,
  tellsWhatItHas,
  usualMessageBytes,
} from '#domain/peer-message.ts'

test('what a document needs over there is decided by its bytes and its lines, each to the last one', () => {
  assert.equal(neededFor({ bytes: usualMessageBytes, lines: mostDocumentLines }), null)
  assert.equal(neededFor({ bytes: usualMessageBytes + 1, lines: 1 }), 'large')
  assert.equal(neededFor({ bytes: largestDocumentBytes, lines: mostDocumentLines }), 'large')
  assert.equal(neededFor({ bytes: largestDocumentBytes + 1, lines: 1 }), 'larger')
  assert.equal(neededFor({ bytes: 1, lines: mostDocumentLines + 1 }), 'larger')
})

test('who is billed is asked what it has, of suppliers who answers it, and of version 1 nobody', () => {
  const asked = (role: 'customer' | 'supplier', otherVersion: number, ...otherKinds: string[]) =>
    tellsWhatItHas({ role, otherVersion, otherKinds })
  assert.deepEqual(
    [asked('customer', 2), asked('supplier', 2), asked('supplier', 2, 'again')],
    [true, false, true],
  )
  assert.deepEqual([asked('customer', 1), asked('supplier', 1, 'again')], [false, false])
})
