import { noteFailure, noteSeen } from '#db/server-sighting.ts'
import { getServerCode } from '#db/server.ts'
import { decodeId } from '#domain/identifier.ts'
import type { ServerExamination } from '#domain/runner.ts'
import { serverUnreachable } from '#domain/server.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { toFailure } from './server-watch.ts'

/** Shorter than who asks waits, so that what an engine that hangs comes to is told as well. */
const answerDeadlineMs = 4_000

/** Whether a server's engine can be used, tried because a person asked. */
export function createServerTestActivities({ db, runner }: ServerDependencies) {
  return {
    /** What was found is noted as a sighting is. @throws `server_unreachable`, with its cause */
    async testServer(input: { serverId: string }): Promise<ServerExamination> {
      const id = decodeId('server', input.serverId)
      try {
        const examination = await withRunnerContext(async (ctx) => {
          const abortSignal = AbortSignal.any([ctx.abortSignal, AbortSignal.timeout(answerDeadlineMs)])
          return await runner.examine({ ...ctx, abortSignal })
        })
        const { rights: _rights, free: _free, unlimitedContainers: _unlimited, ...facts } = examination
        await noteSeen(db, id, facts)
        return examination
      } catch (error) {
        const failure = toFailure(error)
        await noteFailure(db, id, failure)
        throw serverUnreachable(await getServerCode(db, id), failure.cause, failure.detail)
      }
    },
  }
}
