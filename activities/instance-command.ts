import {
  beginInstanceCommand,
  endInstanceCommand,
  getInstanceCommand,
  openSaid,
  readInstanceStanding,
  type InstanceCommand,
  type InstanceCommandEnd,
} from '#db/instance-command.ts'
import { keepLoginPath } from '#db/instance-login.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { forgetInForce } from '#db/limit-in-force.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { actionCommand, findAction, readLoginPath, requireLogin } from '#domain/action.ts'
import { containerName } from '#domain/build-plan.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { refuseIdle } from '#domain/instance-command.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { startAndSeeReady } from './instance-start.ts'
import { openSecrets } from './secret.ts'
import { readUsage } from './usage.ts'

export interface InstanceCommandTicket {
  /** `inst_…` */
  readonly instanceId: string
  readonly requestId: string
}

const outputCharactersMax = 16_000

/** What is asked of one instance: under its lock, so that nothing else starts, stops or replaces its containers meanwhile. */
export function createInstanceCommandActivities(deps: ServerDependencies) {
  return {
    /** In the reverse order of their start, then in that order, and ready again. Begun again after a crash, it does all of it again. */
    async restartInstance(ticket: InstanceCommandTicket): Promise<void> {
      await onceFor(deps, ticket, async ({ instance, ctx }) => {
        const ref = { definition: instance.definition, instance: instance.planned }
        // What was counted is lost with the networks of the containers.
        await readUsage(deps, instance, ctx)
        await deps.runner.stop(ref, ctx)
        await startAndSeeReady(deps, instance, ctx)
        await forgetInForce(deps.db, instance)
        return { state: 'done' }
      })
    },

    /** Run at most once: where its end was not seen, nobody knows what it did, and a person has to look. */
    async runAction(ticket: InstanceCommandTicket): Promise<void> {
      await onceFor(deps, ticket, async ({ instance, command, isBegun, ctx }) => {
        if (!isBegun)
          throw new BusinessError(
            'command_failed',
            'It was begun, and its end was not seen: it may have run.',
          )
        return await run(deps, { instance, command }, ctx)
      })
    },

    /** The way in is laid down sealed, under the id of the link, and stands in no answer that is kept. */
    async runLogin(ticket: InstanceCommandTicket): Promise<void> {
      await onceFor(deps, ticket, async ({ instance, ctx }) => await letIn(deps, { ticket, instance }, ctx))
    },
  }
}

async function letIn(
  { db, runner, installationKey }: ServerDependencies,
  { ticket, instance }: { ticket: InstanceCommandTicket; instance: DeployedInstance },
  ctx: RunnerContext,
): Promise<InstanceCommandEnd> {
  const { definition, planned } = instance
  const { service, command } = requireLogin(definition)
  const container = containerName(planned, service)
  const { exitCode, stdout, stderr } = await runner.execute({ container, argv: command }, ctx)
  if (exitCode !== 0)
    return { state: 'failed', exitCode, output: stderr.trim().slice(0, outputCharactersMax) }
  await keepLoginPath(db, installationKey, ticket.requestId, readLoginPath(stdout))
  return { state: 'done', exitCode }
}

async function run(
  { runner, installationKey }: ServerDependencies,
  { instance, command }: { instance: DeployedInstance; command: InstanceCommand },
  ctx: RunnerContext,
): Promise<InstanceCommandEnd> {
  const { definition, planned } = instance
  const action = findAction(definition.actions, command.subject ?? '')
  const said = openSaid(installationKey, command)
  const secrets = said === null ? ctx.secrets : { ...ctx.secrets, 'what was said': said }
  const { exitCode, stdout, stderr } = await runner
    .execute(
      {
        container: containerName(planned, action.service),
        argv: actionCommand(action, command.answers),
        deadlineMs: action.timeoutS * 1_000,
        ...(said === null ? {} : { input: said }),
      },
      { ...ctx, secrets },
    )
    .catch((error: unknown) => {
      const detail = messageOf(error)
      throw new BusinessError('command_failed', `It did not run to its end: ${detail}`, { cause: error })
    })
  const output = `${stdout}${stderr}`.trim().replaceAll('\0', '').slice(0, outputCharactersMax)
  return { state: exitCode === 0 ? 'done' : 'failed', exitCode, output }
}

interface Work {
  readonly instance: DeployedInstance
  readonly command: InstanceCommand
  /** False where an earlier try began it. */
  readonly isBegun: boolean
  /** With the instance's secrets, so that they are masked. */
  readonly ctx: RunnerContext
}

/** Looks under the lock whether it is still asked and can be done, does it, and writes down what came of it. */
async function onceFor(
  deps: ServerDependencies,
  ticket: InstanceCommandTicket,
  work: (of: Work) => Promise<InstanceCommandEnd>,
): Promise<void> {
  const { db, installationKey } = deps
  const key = { instanceId: decodeId('instance', ticket.instanceId), requestId: ticket.requestId }
  await withRunnerContext(async (plain) => {
    await withInstanceLock(db, key.instanceId, async () => {
      const command = await getInstanceCommand(db, key)
      if (command.finished_at !== null) return
      refuseIdle(await readInstanceStanding(db, key.instanceId))
      const instance = await getDeployedInstance(db, key.instanceId)
      const ctx = { ...plain, secrets: await openSecrets(db, installationKey, instance) }
      const isBegun = await beginInstanceCommand(db, key)
      await endInstanceCommand(db, key, await work({ instance, command, isBegun, ctx }))
    })
  })
}
