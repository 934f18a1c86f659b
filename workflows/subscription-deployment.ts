import * as wf from '@temporalio/workflow'
import { database, there } from './activities.ts'
import type { BuildResult } from './contract.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { givenUp, runBuild, untilFinishedOrGivenUp } from './subscription-build.ts'
import { nowMs, type Life } from './subscription-life.ts'

/** Whether anything is built for it, here or elsewhere. */
export function isBuilt({ state }: Life): boolean {
  return state.serverIds.length > 0 || deploymentsOf({ state }).length > 0
}

export function deploymentsOf({ state }: Pick<Life, 'state'>): readonly string[] {
  return state.deploymentIds ?? []
}

/** Builds what is deployed here, then has the rest deployed elsewhere. */
export async function buildHereAndThere(life: Life): Promise<BuildResult> {
  const built: BuildResult = life.state.serverIds.length > 0 ? await runBuild(life) : { state: 'done' }
  if (built.state !== 'done' || deploymentsOf(life).length === 0) return built
  return await deploy(life)
}

/** A cancellation reaches it while the other side builds; what was ordered there is ended with the way back. */
async function deploy(life: Life): Promise<BuildResult> {
  const scope = new wf.CancellationScope()
  return await untilFinishedOrGivenUp(life, {
    result: scope.run(async () => await placeAll(life)),
    cancel: async () => scope.cancel(),
  })
}

async function placeAll(life: Life): Promise<BuildResult> {
  for (const deploymentId of deploymentsOf(life)) {
    try {
      await there.placeDeployment.executeWithOptions({ summary: 'order it there, until it runs' }, [
        { deploymentId, nowMs: nowMs(life) },
      ])
    } catch (error) {
      if (wf.isCancellation(error)) return givenUp
      return { state: 'failed', ...toRefusal(error) }
    }
  }
  return { state: 'done' }
}

/** Ends one of them, and waits until nothing is left of it over there. */
export async function endDeployment(deploymentId: string): Promise<BuildResult> {
  try {
    await there.endDeployment.executeWithOptions({ summary: 'end it there, until nothing is left' }, [
      { deploymentId },
    ])
    return { state: 'done' }
  } catch (error) {
    return { state: 'failed', ...toRefusal(error) }
  }
}

/** Stops one of them, and takes over what was used until then. */
export async function stopDeployment(deploymentId: string, reason: string): Promise<void> {
  await there.stopDeployment.executeWithOptions({ summary: `stop it there: ${reason}` }, [
    { deploymentId, reason, occasion: wf.uuid4() },
  ])
}

/** What the other side will not stop is told to a person: the subscription itself is suspended all the same. */
export async function stopDeployments(life: Life): Promise<void> {
  for (const deploymentId of deploymentsOf(life)) {
    try {
      await stopDeployment(deploymentId, 'It is suspended where it is billed.')
    } catch (error) {
      await database.openSubscriptionTask.executeWithOptions({ summary: 'it is not stopped there' }, [
        { subscriptionId: life.subscriptionId, kind: 'deployment_parked', ...toRefusal(error) },
      ])
    }
  }
}

/** Null once all of them run again. */
export async function startDeployments(life: Life): Promise<Refusal | null> {
  for (const deploymentId of deploymentsOf(life)) {
    try {
      await there.startDeployment.executeWithOptions({ summary: 'start it there' }, [
        { deploymentId, occasion: wf.uuid4() },
      ])
    } catch (error) {
      return toRefusal(error)
    }
  }
  return null
}
