import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@temporalio/client'
import { searchAttributes } from '#workflows/contract.ts'

/** `temporal.api.enums.v1.IndexedValueType`, whose package exports nothing by name to ES modules. */
const types = { KEYWORD: 2, DATETIME: 6 } as const

const usableWithinMs = 30_000

/**
 * Registers the search attributes that the namespace lacks and waits until the server lists them. The dev server's own
 * option is ignored where its file exists already, so every start asks.
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await findMissing(connection, namespace)
  if (missing.length === 0) return
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(({ name, type }) => [name, types[type]])),
  })
  const untilMs = Date.now() + usableWithinMs
  while ((await findMissing(connection, namespace)).length > 0) {
    if (Date.now() > untilMs)
      throw new Error(
        `Temporal does not list the search attributes ${missing.map(({ name }) => name).join(', ')}`,
      )
    await sleep(100)
  }
}

async function findMissing(connection: Connection, namespace: string) {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  return Object.values(searchAttributes).filter(({ name }) => !(name in (customAttributes ?? {})))
}
