import assert from 'node:assert/strict'
import test from 'node:test'
import { isTransient } from '#db/transient.ts'

const withCode = (code: string) => Object.assign(new Error('as the driver says it'), { code })

for (const [code, what] of [
  ['55P03', 'a lock that was not given in time'],
  ['40001', 'a serialization failure'],
  ['40P01', 'a deadlock'],
  ['57P01', 'a server that goes down'],
  ['08006', 'a broken connection'],
  ['53300', 'too many connections'],
  ['ECONNREFUSED', 'a server that is not there'],
] as const) {
  test(`${what} is worth another try`, () => assert.equal(isTransient(withCode(code)), true))
}

for (const [message, when] of [
  ['Connection terminated unexpectedly', 'in the middle of a query'],
  ['Client has encountered a connection error and is not queryable', 'between two of a transaction'],
] as const) {
  test(`a connection that ended ${when} is worth another try`, () => {
    assert.equal(isTransient(new Error(message)), true)
  })
}

for (const [code, what] of [
  ['23505', 'a broken unique key'],
  ['23P01', 'an overlap'],
  ['23514', 'a broken check'],
  ['57014', 'a statement given up at its deadline'],
  ['42703', 'a column that does not exist'],
] as const) {
  test(`${what} fails again however often it is tried`, () =>
    assert.equal(isTransient(withCode(code)), false))
}

test('a mistake of our own is not transient', () => {
  assert.equal(isTransient(new TypeError('undefined is not a function')), false)
  assert.equal(isTransient('a text'), false)
})
