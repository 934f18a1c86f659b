import { endInstanceCommand } from '#db/instance-command.ts'
import { decodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** The end of a command that its server did not tell of. */
export function createCommandEndActivities({ db }: DatabaseDependencies) {
  return {
    async refuseInstanceCommand(input: {
      instanceId: string
      requestId: string
      code: string
      detail: string
    }): Promise<void> {
      const { instanceId, requestId, code, detail } = input
      const key = { instanceId: decodeId('instance', instanceId), requestId }
      await endInstanceCommand(db, key, { state: 'refused', code, detail })
    },
  }
}
