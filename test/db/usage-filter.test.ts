import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { textArray } from '#db/array-text.ts'
import { takesUsage } from '#domain/usage-filter.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => database.drop())

const name = fc.constantFrom('region', 'plan', 'constructor')
const value = fc.oneof(
  fc.constantFrom('eu', 'us', ''),
  fc.string({ maxLength: 5 }).filter((text) => !text.includes('\0')),
)
const condition = fc.oneof(
  fc.record({ property: name, is: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ property: name, isNot: fc.array(value, { minLength: 1, maxLength: 3 }) }),
)
const question = fc.record({
  filter: fc.array(condition, { maxLength: 3 }),
  properties: fc.option(fc.dictionary(name, value)),
})

test('the database takes usage for a line exactly as the domain does', async () => {
  const questions = fc.sample(question, 2_000)
  const { rows } = await sql<{ takes: boolean }>`
    select takes_usage(filter, properties) as takes
    from unnest(${textArray(questions.map(({ filter }) => JSON.stringify(filter)))}::jsonb[],
      ${textArray(questions.map(({ properties }) => properties && JSON.stringify(properties)))}::jsonb[])
      with ordinality as asked (filter, properties, place) order by place`.execute(database.db)
  const expected = questions.map(({ filter, properties }) => takesUsage(filter, properties))
  assert.deepEqual(
    rows.map(({ takes }) => takes),
    expected,
  )
  assert.ok(expected.includes(true) && expected.includes(false))
})
