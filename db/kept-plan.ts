import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type pg from 'pg'

/** What was asked so often will be asked again. */
const keptFrom = 5
/** A kept plan takes memory of every connection, a known text memory of this process. */
const keptAtMost = 200
const knownAtMost = 2_000

const readPattern = /^\s*(?:select|with)\b/
/** PostgreSQL's feature_not_supported: since a migration the answer has other columns than the kept plan. */
const planOutdated = '0A000'

/**
 * A pool whose connections keep the plans of reads that are asked again and again: where a read finds few rows, parsing and
 * planning are most of its cost. It is for many small requests; the statements of billing are few and about many rows.
 */
export function keepPlans(pool: pg.Pool): PostgresPool {
  const names = new PlanNames()
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    end: async () => pool.end(),
    connect: async () => {
      const client = await pool.connect()
      const known = clients.get(client) ?? keepPlansOf(client, names)
      clients.set(client, known)
      return known
    },
  }
}

function keepPlansOf(client: pg.PoolClient, names: PlanNames): PostgresPoolClient {
  const query = async (text: string, values: readonly unknown[]) => {
    const name = readPattern.test(text) ? names.of(text) : undefined
    if (name === undefined) return await client.query(text, [...values])
    try {
      return await client.query({ name, text, values: [...values] })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === planOutdated)) throw error
      // In a transaction, which is over by now, this fails too; whoever tries again is answered.
      names.renew()
      return await client.query(text, [...values])
    }
  }
  // Nothing here is read by a cursor, which is the other way to call it.
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: (isLost) => client.release(isLost),
  }
}

/** Which texts are asked often, and the name of each: the same on every connection. */
class PlanNames {
  readonly #timesAsked = new Map<string, number>()
  readonly #names = new Map<string, string>()
  #generation = 0

  of(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const times = (this.#timesAsked.get(text) ?? 0) + 1
    if (times > 1 || this.#timesAsked.size < knownAtMost) this.#timesAsked.set(text, times)
    if (times < keptFrom || this.#names.size >= keptAtMost) return undefined
    const name = `read_${this.#generation}_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }

  /** Every plan is made anew, under another name. */
  renew(): void {
    this.#generation += 1
    this.#names.clear()
    this.#timesAsked.clear()
  }
}
