import { noteDeployerAnswers, noteDeployerFailure } from '#db/deployer.ts'
import { closeTasks, openTask } from '#db/task.ts'
import { messageOf } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { toStorable } from '#domain/storable-text.ts'
import { callDeployer, type DeployerCall } from './deployer-call.ts'
import { tryProducts } from './deployed-products.ts'
import { takeUsage } from './deployed-usage.ts'
import { lookAtDeployments } from './deployment-look.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** An operator is told of a deployer that could not be looked at for longer. */
const patienceMs = 60 * 60_000

export interface DeployerLook {
  /** It was removed: nobody looks any more. */
  readonly isGone: boolean
  readonly deployments: number
  readonly stored: number
  readonly refused: number
}

/** What a deployer has of ours, looked at from time to time. */
export function createDeployerActivities(deps: DatabaseDependencies) {
  const { db } = deps
  return {
    /** Takes over what was used there, how each deployment stands, and what could not be ordered. What fails is noted, and tried again. */
    async lookAtDeployer(input: { deployerId: string }): Promise<DeployerLook> {
      const id = decodeId('deployer', input.deployerId)
      const call = await callDeployer(deps, id)
      if (call === undefined) return { isGone: true, deployments: 0, stored: 0, refused: 0 }
      // None keeps the others away.
      const [usage, deployments, products] = await Promise.allSettled([
        takeUsage(deps, call),
        lookAtDeployments(db, call),
        tryProducts(db, call),
      ])
      if (usage.status === 'rejected') return await fail(call, usage.reason)
      if (deployments.status === 'rejected') return await fail(call, deployments.reason)
      if (products.status === 'rejected') return await fail(call, products.reason)
      await noteDeployerAnswers(db, id)
      await closeTasks(db, { kind: 'deployer', id, reason: 'it answers' }, ['deployer_unreachable'])
      return { isGone: false, deployments: deployments.value, ...usage.value }
    },
  }

  /** Whatever was answered may stand in it. */
  async function fail({ deployer: { id, code } }: DeployerCall, error: unknown): Promise<never> {
    const detail = toStorable(messageOf(error))
    const now = new Date().toISOString()
    const since = await noteDeployerFailure(db, id, { detail, now })
    if (Date.parse(since) + patienceMs > Date.parse(now)) throw error
    await openTask(db, {
      kind: 'deployer_unreachable',
      subjectKind: 'deployer',
      subjectId: id,
      subject: `Deployer ${code} cannot be looked at`,
      detail: `Since ${since}: ${detail.slice(0, 1_000)} What was used there is taken over by itself once it answers.`,
    })
    throw error
  }
}
