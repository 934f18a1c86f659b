import { finishStep, type StepDetail } from '#db/build-step.ts'
import { getDeployedInstance } from '#db/instance.ts'
import type { PeerStep } from '#domain/build-plan.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { letPeerGo, pairInstance } from './instance-peer.ts'
import { openSecrets } from './secret.ts'
import { showProgress } from './step-record.ts'

/** The step of a build by which an installation becomes a peer; an engine has no part in it but to run a command. */
export async function carryOutPeerStep(
  deps: ServerDependencies,
  { step, plan }: { step: StepDetail; plan: PeerStep },
): Promise<string> {
  const { db, installationKey } = deps
  const instance = await getDeployedInstance(db, step.instanceId)
  const detail = await withRunnerContext(async (ctx) => await pairInstance(deps, { plan, instance }, ctx), {
    secrets: await openSecrets(db, installationKey, instance),
    onProgress: showProgress(db, step.id),
  })
  await finishStep(db, step.id, detail)
  return detail
}

/** The step of an unbuild by which it is let go. */
export async function removePeerStep(deps: ServerDependencies, step: StepDetail): Promise<string> {
  const detail = await withRunnerContext(async (ctx) => await letPeerGo(deps, step, ctx), {
    onProgress: showProgress(deps.db, step.id),
  })
  await finishStep(deps.db, step.id, detail)
  return detail
}
