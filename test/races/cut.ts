import pg from 'pg'
import { openDatabase, type Db } from '#db/database.ts'

/**
 * A database whose one connection is cut once it has answered so many statements: as the server sees it, the client was
 * there for these and never came back. `answered` counts them.
 */
export function openCutDatabase(
  url: string,
  after: number,
): { db: Db; answered: () => number; close: () => Promise<void> } {
  const applicationName = `cut after ${after}`
  const pool = openDatabase(url, { maxConnections: 1, applicationName })
  let answered = 0
  const db = pool.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      answered += 1
      if (answered === after) await cutConnections(url, applicationName)
      return result
    },
  })
  return { db, answered: () => answered, close: async () => pool.destroy() }
}

/** Ends the server's side of the connections of a name, or of a share of them; gives how many there were. */
export async function cutConnections(url: string, applicationName: string, share = 1): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and application_name = $1 and random() <= $2`,
      [applicationName, share],
    )
    return rowCount ?? 0
  } finally {
    await client.end()
  }
}
