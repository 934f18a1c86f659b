import { z } from 'zod'

const readinessSchema = z.object({
  checks: z.array(z.object({ name: z.string(), is_ready: z.boolean(), detail: z.string() })),
})

/** What the API has of all it needs. Not being ready is an answer here, though its status is 503. */
export async function readReadiness(apiUrl: string): Promise<z.infer<typeof readinessSchema>['checks']> {
  const res = await fetch(`${apiUrl}/readyz?verbose`, { signal: AbortSignal.timeout(8_000) })
  return readinessSchema.parse(await res.json()).checks
}
