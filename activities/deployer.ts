import { listLiveDeployments } from '#db/deployment.ts'
import { noteDeployerAnswers, noteDeployerFailure } from '#db/deployer.ts'
import { closeTasks, openTask } from '#db/task.ts'
import { messageOf } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { callDeployer, type DeployerCall } from './deployer-call.ts'
import { takeUsage } from './deployed-usage.ts'
import { lookAtDeployment } from './deployment.ts'
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
    /** Takes over what was used there, and how each deployment stands. What fails is noted, and tried again. */
    async lookAtDeployer(input: { deployerId: string }): Promise<DeployerLook> {
      const id = decodeId('deployer', input.deployerId)
      const call = await callDeployer(deps, id)
      if (call === undefined) return { isGone: true, deployments: 0, stored: 0, refused: 0 }
      try {
        const deployments = await lookAtDeployments(call)
        const usage = await takeUsage(deps, call)
        await noteDeployerAnswers(db, id)
        await closeTasks(db, { kind: 'deployer', id, reason: 'it answers' }, ['deployer_unreachable'])
        return { isGone: false, deployments, ...usage }
      } catch (error) {
        await tellOfFailure(call, messageOf(error))
        throw error
      }
    },
  }

  async function lookAtDeployments(call: DeployerCall): Promise<number> {
    const live = await listLiveDeployments(db, call.deployer.id)
    for (const deployment of live) await lookAtDeployment(db, call, deployment)
    return live.length
  }

  async function tellOfFailure({ deployer: { id, code } }: DeployerCall, detail: string): Promise<void> {
    const now = new Date().toISOString()
    const since = await noteDeployerFailure(db, id, { detail, now })
    if (Date.parse(since) + patienceMs > Date.parse(now)) return
    await openTask(db, {
      kind: 'deployer_unreachable',
      subjectKind: 'deployer',
      subjectId: id,
      subject: `Deployer ${code} cannot be looked at`,
      detail: `Since ${since}: ${detail.slice(0, 1_000)} What was used there is taken over by itself once it answers.`,
    })
  }
}
