import assert from 'node:assert/strict'
import test from 'node:test'
import { clientOf, valueOf } from '#docker/metrics/sql.ts'

const of = {
  user: 'postgres',
  database: 'shop',
  query: "select count(*) from orders where state = 'done; --'",
}

test('a query is one argument of the database’s own client, which may only read', () => {
  const { argv, environment } = clientOf('postgresql', of)
  assert.deepEqual(argv.slice(-6), ['-U', 'postgres', '-d', 'shop', '-c', of.query])
  assert.match(environment['PGOPTIONS'] ?? '', /default_transaction_read_only=on/)
  assert.equal(clientOf('mariadb', of).argv.at(-1), `set session transaction read only; ${of.query}`)
})

test('one number from 0 is a value, and nothing else is', () => {
  assert.equal(valueOf('42\n'), '42')
  assert.equal(valueOf('0.125'), '0.125')
  for (const printed of ['', '\n', 'NULL\n']) assert.throws(() => valueOf(printed), /gave no value/)
  for (const printed of ['1\n2', '-1', 'many', '1|2', 'NaN'])
    assert.throws(() => valueOf(printed), /gave no number/)
})
