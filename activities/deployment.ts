import { getDeployment, setDeploymentState, type Deployment } from '#db/deployment.ts'
import { setPhase } from '#db/subscription.ts'
import { orderThere, suspensionThere } from '#domain/deployment.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { toInstant } from './command.ts'
import { callDeployer, type DeployerCall } from './deployer-call.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { takeUsage } from './deployed-usage.ts'
import { lookAtDeployment, type SubscriptionThere } from './deployment-look.ts'

interface DeploymentInput {
  /** `dpl_…` */
  readonly deploymentId: string
}

interface There {
  readonly call: DeployerCall
  readonly deployment: Deployment
}

/**
 * What was sold here and is deployed elsewhere. Each looks first how it stands over there, asks for what lacks, and is tried again
 * until it is so: what it waits for is what it failed with last.
 */
export function createDeploymentActivities(deps: DatabaseDependencies) {
  const { db } = deps

  async function openThere({ deploymentId }: DeploymentInput): Promise<There> {
    const deployment = await getDeployment(db, decodeId('deployment', deploymentId))
    const call = await callDeployer(deps, deployment.deployer_id)
    if (call === undefined) throw new Error('a deployer that has deployed something is not removed')
    return { call, deployment }
  }

  const look = async ({ call, deployment }: There) => await lookAtDeployment(db, call, deployment)

  async function command(
    there: There,
    subscription: SubscriptionThere,
    asked: { name: 'suspend' | 'resume' | 'cancel'; body: unknown; occasion: string },
  ): Promise<void> {
    const { name, body, occasion } = asked
    await there.call.ask({
      method: 'POST',
      path: `/v1/subscriptions/${subscription.id}/${name}`,
      body,
      idempotencyKey: `${encodeId('deployment', there.deployment.id)}.${name}.${occasion}`,
    })
  }

  return {
    /** Orders it there, once whatever is lost on the way, and waits until it runs. @throws `deployer_refuses` */
    async placeDeployment(input: DeploymentInput & { nowMs: number }): Promise<{ detail: string }> {
      const there = await openThere(input)
      const { call, deployment } = there
      if (deployment.state === 'ended')
        throw new BusinessError('deployer_refuses', 'It was given up before it was ordered there.')
      await setPhase(db, deployment.subscription_id, { phase: 'building', now: toInstant(input.nowMs) })
      let found = await look(there)
      if (found === undefined) {
        const idempotencyKey = input.deploymentId
        const body = orderThere(input.deploymentId, deployment, call.deployer.customer)
        await call.ask({ method: 'POST', path: '/v1/orders', body, idempotencyKey })
        found = await look(there)
      }
      if (found?.phase === 'ended' || found?.phase === 'unbuilding')
        throw new BusinessError(
          'deployer_refuses',
          `Over there it is ${found.phase}: nothing is built of it any more.`,
        )
      if (found?.phase !== 'active' && found?.phase !== 'suspended') throw new Error(sayWaiting(found))
      await setDeploymentState(db, deployment.id, 'running')
      return { detail: `${found.id} is ${found.phase} at ${call.deployer.code}` }
    },

    /** Stops it there, which takes the closing reading, and takes over what was used until then. */
    async stopDeployment(input: DeploymentInput & { occasion: string; reason: string }): Promise<void> {
      const there = await openThere(input)
      const found = await look(there)
      if (found?.phase === 'active') {
        const body = { code: suspensionThere, reason: input.reason }
        await command(there, found, { name: 'suspend', body, occasion: input.occasion })
        throwUnless(await look(there), ['suspended', 'unbuilding', 'ended'])
      }
      await takeUsage(deps, there.call)
      if (there.deployment.state === 'running') await setDeploymentState(db, there.deployment.id, 'stopped')
    },

    /** Lifts what we stopped it for. @throws `deployer_refuses` where it stays suspended for another reason */
    async startDeployment(input: DeploymentInput & { occasion: string }): Promise<void> {
      const there = await openThere(input)
      const found = await look(there)
      if (found?.suspensions.some(({ code }) => code === suspensionThere) === true)
        await command(there, found, {
          name: 'resume',
          body: { code: suspensionThere },
          occasion: input.occasion,
        })
      const after = await look(there)
      if (after?.phase !== 'active')
        throw new BusinessError('deployer_refuses', `Over there it stays ${after?.phase ?? 'unknown'}.`)
      await setDeploymentState(db, there.deployment.id, 'running')
    },

    /** Ends it there, waits until nothing is left of it, and takes over the last of what was used. */
    async endDeployment(input: DeploymentInput): Promise<{ detail: string }> {
      const there = await openThere(input)
      const { id } = there.deployment
      const found = await look(there)
      if (found === undefined) {
        await setDeploymentState(db, id, 'ended')
        return { detail: 'nothing was ordered there' }
      }
      if (found.phase !== 'ended') {
        if (found.phase !== 'unbuilding')
          await command(there, found, {
            name: 'cancel',
            body: { when: 'now', reason: 'It has ended where it is billed.' },
            occasion: 'end',
          })
        throwUnless(await look(there), ['ended'])
      }
      await takeUsage(deps, there.call)
      await setDeploymentState(db, id, 'ended')
      return { detail: `${found.id} has ended there` }
    },
  }
}

function throwUnless(found: SubscriptionThere | undefined, phases: readonly string[]): void {
  if (found === undefined || !phases.includes(found.phase)) throw new Error(sayWaiting(found))
}

function sayWaiting(found: SubscriptionThere | undefined): string {
  if (found === undefined) return 'over there it is not to be seen yet'
  return `over there it is ${found.phase}${found.parked_reason === null ? '' : `, parked: ${found.parked_reason}`}`
}
