import { endInstanceCommand, getInstanceCommand, readInstanceStanding } from '#db/instance-command.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { beginRotation, endRotation, undoRotation } from '#db/rotation.ts'
import { seal } from '#db/sealing.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { refuseIdle } from '#domain/instance-command.ts'
import { servicesUsing } from '#domain/replacement.ts'
import type { ServerDependencies } from './dependencies.ts'
import type { InstanceCommandTicket } from './instance-command.ts'
import { generateSecret, openSecrets } from './secret.ts'

/** The parts of a rotation; between them its containers are replaced as everything that changed of an instance is. */
export function createRotationActivities({ db, installationKey }: ServerDependencies) {
  const read = async (ticket: InstanceCommandTicket) => {
    const instanceId = decodeId('instance', ticket.instanceId)
    const { requestId } = ticket
    const command = await getInstanceCommand(db, { instanceId, requestId })
    const instance = await getDeployedInstance(db, instanceId)
    const name = command.subject ?? ''
    const services = servicesUsing(instance.definition, [name])
    return { rotation: { instanceId, name, requestId }, command, instance, services }
  }
  return {
    async beginRotation(ticket: InstanceCommandTicket): Promise<{ by: string }> {
      const { rotation, command, instance, services } = await read(ticket)
      refuseIdle(await readInstanceStanding(db, rotation.instanceId))
      const secret = instance.definition.secrets.find(({ name }) => name === rotation.name)
      if (secret === undefined)
        throw new BusinessError('not_found', `The application has no secret ${rotation.name}.`)
      // One that nobody needed yet is made first.
      await openSecrets(db, installationKey, instance)
      const sealed = seal(installationKey, rotation.instanceId, rotation.name, generateSecret(secret))
      await beginRotation(db, rotation, { sealed, services })
      return { by: command.actor }
    },

    async undoRotation(ticket: InstanceCommandTicket): Promise<void> {
      const { rotation, services } = await read(ticket)
      await undoRotation(db, rotation, services)
    },

    async endRotation(ticket: InstanceCommandTicket): Promise<void> {
      const { rotation } = await read(ticket)
      await endRotation(db, rotation)
      await endInstanceCommand(db, rotation, { state: 'done' })
    },
  }
}
