import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'

/**
 * Carries out work in a transaction of its own that is rolled back, and gives its answer: what it would do is known from
 * doing it. In a transaction of the caller what it did is taken back as well.
 */
export async function inVain<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (db.isTransaction) return await inSavepoint(db as Tx, work)
  const transaction = await db.startTransaction().execute()
  try {
    return await work(transaction)
  } finally {
    await transaction.rollback().execute()
  }
}

async function inSavepoint<T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
  await sql`savepoint in_vain`.execute(tx)
  try {
    return await work(tx)
  } finally {
    await sql`rollback to savepoint in_vain`.execute(tx)
  }
}

/** Carries out work in a transaction of the caller. Where it throws, what it did is taken back, and the transaction can go on. */
export async function unlessThrown<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  await sql`savepoint unless_thrown`.execute(tx)
  try {
    const done = await work()
    await sql`release savepoint unless_thrown`.execute(tx)
    return done
  } catch (error) {
    await sql`rollback to savepoint unless_thrown`.execute(tx)
    throw error
  }
}
