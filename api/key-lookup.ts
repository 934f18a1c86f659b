import { findApiKeys, touchApiKey, type ApiKey } from '#db/api-key.ts'
import type { Db } from '#db/database.ts'

export type KeyLookup = (id: string) => Promise<ApiKey | undefined>

const keyUseResolutionMs = 60_000

/**
 * Looks API keys up together: whoever asks while one look-up runs is answered by the next. Under load one query is for many
 * requests, and none is answered by a look-up that began before it came: a key is refused from the moment of its revocation.
 */
export function createKeyLookup(access: { readonly db: Db; readonly now: () => string }): KeyLookup {
  let last: Promise<unknown> = Promise.resolve()
  let next: { readonly ids: Set<string>; readonly found: Promise<Map<string, ApiKey>> } | undefined
  return async (id) => {
    if (next === undefined) {
      const ids = new Set<string>()
      const found = last.then(async () => {
        next = undefined
        return await lookUp(access, [...ids])
      })
      last = found.catch(() => {})
      next = { ids, found }
    }
    next.ids.add(id)
    return (await next.found).get(id)
  }
}

async function lookUp(
  { db, now }: { readonly db: Db; readonly now: () => string },
  ids: readonly string[],
): Promise<Map<string, ApiKey>> {
  const at = now()
  const found = await findApiKeys(db, ids, at)
  for (const { id, lastUsedAt } of found.values()) {
    const isTold = lastUsedAt !== null && Date.parse(at) - Date.parse(lastUsedAt) <= keyUseResolutionMs
    if (!isTold) await touchApiKey(db, id, at)
  }
  return found
}
