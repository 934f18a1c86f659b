import type { InstanceCommandTicket } from '#activities/instance-command.ts'
import { database, onServerInTime } from './activities.ts'
import type { InstanceCommandInput, InstanceCommandResult, LogInput } from './contract.ts'
import { toRefusal, type Refusal } from './failure.ts'

/**
 * One thing that was asked of one instance, once. What it is, what was said with it and what it answered are in its row: ids only
 * are here. What cannot be done is refused there, with its reason.
 */
export async function instanceCommand(input: InstanceCommandInput): Promise<InstanceCommandResult> {
  const { instanceId, requestId } = input
  const key = { instanceId, requestId }
  const refusal = await carryOut(input, key).catch((error: unknown) => toRefusal(error))
  if (refusal !== null)
    await database.refuseInstanceCommand.executeWithOptions({ summary: `refused: ${refusal.code}` }, [
      { ...key, ...refusal },
    ])
  return { refusal }
}

async function carryOut(
  { serverId, kind }: InstanceCommandInput,
  key: InstanceCommandTicket,
): Promise<Refusal | null> {
  const server = onServerInTime(serverId)
  if (kind === 'rotation') return await rotate(server, key)
  if (kind === 'restart')
    await server.restartInstance.executeWithOptions({ summary: 'stop, start, and see it ready' }, [key])
  else if (kind === 'login')
    await server.runLogin.executeWithOptions({ summary: 'the application makes a way in' }, [key])
  else await server.runAction.executeWithOptions({ summary: 'an action of the application' }, [key])
  return null
}

/** Another value, and the containers that use it made with it. Until it was seen to work, the one before can come back. */
async function rotate(
  server: ReturnType<typeof onServerInTime>,
  key: InstanceCommandTicket,
): Promise<Refusal | null> {
  const { by } = await server.beginRotation.executeWithOptions({ summary: 'another value is sealed' }, [key])
  const replace = async (summary: string) =>
    await server.replaceContainers.executeWithOptions({ summary }, [{ instanceId: key.instanceId, by }])
  try {
    await replace('containers that use it, one by one')
  } catch (error) {
    const refusal = toRefusal(error)
    await server.undoRotation.executeWithOptions({ summary: 'the value before is in its place again' }, [key])
    await replace('the same containers, as they were')
    return refusal
  }
  await server.endRotation.executeWithOptions({ summary: 'the value before is destroyed' }, [key])
  return null
}

/** Has lines of an instance's logs laid where the one who asked fetches them. No line is in any history. */
export async function log(input: LogInput): Promise<void> {
  await onServerInTime(input.serverId).readLog.executeWithOptions({ summary: 'lines of its logs' }, [
    { requestId: input.requestId },
  ])
}
