import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const runSchema = z.object({ facts: z.record(z.string(), z.string()) })

/** What the running `npm start` has noted about its addresses; empty where none runs. */
export function readRunFacts(folder: string): Readonly<Record<string, string>> {
  const file = join(folder, 'run.json')
  if (!existsSync(file)) return {}
  try {
    return runSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).facts
  } catch {
    // Written by another version: it tells us nothing, which is not worth stopping for.
    return {}
  }
}
