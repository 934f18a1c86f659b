import { getDeployedInstance } from '#db/instance.ts'
import { recordLimit } from '#db/limit.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { LimitObservation } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { openSecrets } from './secret.ts'

export interface LimitTicket {
  /** `inst_…` */
  readonly instanceId: string
  readonly code: string
  readonly quantity: string
}

/** Sold limits in the instance: set, read back, logged with the answer. Commands set a value, they never add to one. */
export function createLimitActivities({ db, runner, installationKey }: ServerDependencies) {
  return {
    async applyLimit(input: LimitTicket): Promise<{ inForce: number; inUse: number }> {
      const instance = await getDeployedInstance(db, decodeId('instance', input.instanceId))
      const ref = { definition: instance.definition, instance: instance.planned }
      refuseUnenforceable(instance.definition.limits, input.code)
      const secrets = await openSecrets(db, installationKey, instance)
      const observed = await withRunnerContext(
        (ctx) => runner.applyLimit(ref, { code: input.code, value: Number(input.quantity) }, ctx),
        { secrets },
      )
      await recordLimit(db, {
        ...input,
        instanceId: instance.id,
        inForce: observed.inForce,
        commands: toRows(observed),
      })
      return { inForce: observed.inForce, inUse: observed.inUse }
    },

    /** How much of a limit is in use: a downgrade below it is refused. */
    async readLimit(input: {
      instanceId: string
      code: string
    }): Promise<{ inForce: number; inUse: number }> {
      const instance = await getDeployedInstance(db, decodeId('instance', input.instanceId))
      refuseUnenforceable(instance.definition.limits, input.code)
      const ref = { definition: instance.definition, instance: instance.planned }
      const secrets = await openSecrets(db, installationKey, instance)
      const observed = await withRunnerContext((ctx) => runner.readLimit(ref, input.code, ctx), { secrets })
      return { inForce: observed.inForce, inUse: observed.inUse }
    },
  }
}

function refuseUnenforceable(limits: readonly { code: string }[], code: string): void {
  if (limits.some((limit) => limit.code === code)) return
  throw new BusinessError(
    'limit_not_enforceable',
    `The application has no command that holds the limit ${code}; only its operator can.`,
  )
}

function toRows(observed: LimitObservation) {
  return observed.commands.map((command) => ({
    command: command.argv,
    exitCode: command.exitCode,
    answer: `${command.stdout}${command.stderr}`.trim(),
    durationMs: command.durationMs,
  }))
}
