import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { sql, type Transaction } from 'kysely'
import type { Database } from '#db/database.ts'
import { assertInvariants, contentIsHashed, findBreaches, invariants } from '#test/support/invariants.ts'
import { findBrokenHashes } from '#test/support/invariants/hashes.ts'
import { keepBooks } from '#test/support/books.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { plants } from './planted-breach.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
  await keepBooks(seller)
})
after(async () => seller.drop())

/** Does harm that the database would refuse, looks, and takes it back. */
async function withHarm(harm: string, look: (tx: Transaction<Database>) => Promise<void>): Promise<void> {
  const tx = await seller.db.startTransaction().execute()
  try {
    await sql`set local session_replication_role = replica`.execute(tx)
    const { numAffectedRows } = await sql.raw(harm).execute(tx)
    assert.ok((numAffectedRows ?? 0n) > 0n, 'the harm is done to nothing')
    await look(tx)
  } finally {
    await tx.rollback().execute()
  }
}

/**
 * All but primary keys and what is not null: triggers do not run in a replica, and rules are taken away. For good, since that is dear
 * and nothing else is done with these books.
 */
const dropRefusals = `
do $$ declare rule record; begin
  for rule in
    select conrelid::regclass as of, conname from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('c', 'x', 'f', 'u')
      -- Partitions lose theirs with the whole.
      and coninhcount = 0 and conparentid = 0 order by contype = 'f' desc
  loop execute format('alter table %s drop constraint %I cascade', rule.of, rule.conname); end loop;
  for rule in
    select indexrelid::regclass as of from pg_index join pg_class on pg_class.oid = indexrelid
    where indisunique and not indisprimary and relnamespace = 'public'::regnamespace and not relispartition
  loop execute format('drop index %s', rule.of); end loop;
end $$`

test('nothing that must never be is found in books that were kept by the product', async () => {
  const { rows } = await sql<{ kind: string }>`select distinct kind from invoice_lines order by kind`.execute(
    seller.db,
  )
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['credit', 'late_usage', 'one_off', 'one_time', 'recurring', 'true_up', 'usage'],
  )
  await assertInvariants(seller.db)
})

describe('in books that refuse nothing', () => {
  before(async () => sql.raw(dropRefusals).execute(seller.db))

  for (const invariant of invariants) {
    test(`harm is found: never ${invariant.never}`, async () => {
      const harm = plants[invariant.never]
      assert.ok(harm, 'every invariant is shown to find the harm that it is for')
      for (const statement of harm) {
        await withHarm(statement, async (tx) => {
          assert.notDeepEqual(await findBreaches(tx, invariant), [], statement)
        })
      }
    })
  }

  test(`harm is found: never ${contentIsHashed}`, async () => {
    for (const statement of [
      `update invoices set total_minor = total_minor + 1, net_minor = net_minor + 1 where number is not null`,
      `update invoice_lines set description = description || ' ' where position = 0`,
      `update invoice_lines set explanation = explanation || '{"formula": "nothing"}'`,
      `update invoice_taxes set base_minor = base_minor + 1`,
      `update invoices set buyer = buyer || '{"name": "somebody else"}'`,
      `delete from invoice_lines where position = 0`,
    ]) {
      await withHarm(statement, async (tx) => assert.notDeepEqual(await findBrokenHashes(tx), [], statement))
    }
  })
})
