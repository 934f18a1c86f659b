import assert from 'node:assert/strict'
import { BusinessError } from '#domain/errors.ts'
import type { Line } from '#domain/line.ts'

/** A line from 1 January 2026 without end, of which nothing was billed. */
export function aLine(differences: Partial<Line> = {}): Line {
  return {
    startsOn: '2026-01-01',
    endsOn: null,
    billedUntil: null,
    isCancelled: false,
    renewal: 'none',
    hasSuccessor: false,
    hasRival: false,
    ...differences,
  }
}

export function hasCode(error: unknown, code: string, message = /./): boolean {
  assert.ok(error instanceof BusinessError, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}
