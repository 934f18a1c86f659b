import {
  condition,
  continueAsNew,
  defineSignal,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import { deployerSignals } from '#domain/deployment.ts'
import { there } from './activities.ts'
import type { DeployerInput } from './contract.ts'
import { toRefusal } from './failure.ts'

const looksPerRun = 500
const lookEveryMs = 5 * 60_000

/**
 * Another installation that deploys what this one bills, as long as it is known: every five minutes, and when somebody asks, what
 * was used there is taken over, and how each deployment stands. Out of reach, it is looked at again and again.
 */
export async function deployer(input: DeployerInput): Promise<void> {
  const told = { isAsked: false }
  setHandler(defineSignal(deployerSignals.lookNow), () => {
    told.isAsked = true
  })
  for (let look = 0; look < looksPerRun && !workflowInfo().continueAsNewSuggested; look += 1) {
    told.isAsked = false
    try {
      const seen = await there.lookAtDeployer.executeWithOptions(
        { summary: 'what runs, and was used there' },
        [{ deployerId: input.deployerId }],
      )
      if (seen.isGone) return
      setCurrentDetails(
        `${seen.deployments} deployed there; the last look took over ${seen.stored}, refused ${seen.refused}`,
      )
    } catch (error) {
      setCurrentDetails(`the last look failed: ${toRefusal(error).detail}`)
    }
    await condition(() => told.isAsked, lookEveryMs, { summary: 'until the next look, or somebody asks' })
  }
  await continueAsNew<typeof deployer>(input)
}
