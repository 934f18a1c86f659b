import { onServer } from './activities.ts'
import type { ReplacementInput, ReplacementResult } from './contract.ts'
import { toRefusal } from './failure.ts'

/** Makes the containers of an instance as they are planned by now; tried until it is done or refused, for nobody waits for it. */
export async function replacement(input: ReplacementInput): Promise<ReplacementResult> {
  try {
    const { replaced, updated } = await onServer(input.serverId).replaceContainers.executeWithOptions(
      { summary: 'containers that changed, one by one' },
      [{ instanceId: input.instanceId, by: input.by }],
    )
    return { replaced, updated, refusal: null }
  } catch (error) {
    return { replaced: [], updated: [], refusal: toRefusal(error) }
  }
}
