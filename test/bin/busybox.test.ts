import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { isStaticBinary } from '#bin/platform/busybox.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

/** The first bytes of a 64-bit ELF program with one entry of the given kind in its table of segments. */
function elfWithSegment(kind: number): Buffer {
  const bytes = Buffer.alloc(128)
  bytes.writeUInt32BE(0x7f454c46, 0)
  bytes[4] = 2
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(1, 56)
  bytes.writeUInt32LE(kind, 64)
  return bytes
}

const table: [what: string, content: Buffer, isStatic: boolean][] = [
  ['a program with loadable segments only', elfWithSegment(1), true],
  ['a program that names a dynamic loader', elfWithSegment(3), false],
  ['a script', Buffer.from('#!/bin/sh\n'), false],
  ['an empty file', Buffer.alloc(0), false],
]

for (const [what, content, isStatic] of table) {
  test(`${what} ${isStatic ? 'runs' : 'does not run'} in an image that holds nothing else`, (t) => {
    const path = join(temporaryFolder(t), 'program')
    writeFileSync(path, content)
    assert.equal(isStaticBinary(path), isStatic)
  })
}

test('a binary that is not there is not static', () => {
  assert.equal(isStaticBinary('/nonexistent/busybox'), false)
})
