import { noteTaxQuestion } from '#db/tax-answer.ts'
import { createBackupActivities } from './backup.ts'
import { createBillingActivities } from './billing.ts'
import { createBillingRunActivities } from './billing-run.ts'
import { createBuildActivities, createStepActivities } from './build.ts'
import { createCommandEndActivities } from './command-end.ts'
import type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'
import { createDeployerActivities } from './deployer.ts'
import { createDeploymentActivities } from './deployment.ts'
import { refusing } from './failure.ts'
import { beating } from './heartbeat.ts'
import { createInstanceActivities } from './instance.ts'
import { createInstanceCommandActivities } from './instance-command.ts'
import { createLimitActivities } from './limit.ts'
import { createLimitDecisionActivities, createLimitHoldActivities } from './limit-hold.ts'
import { createLimitLookActivities } from './limit-look.ts'
import { createLinkActivities } from './link.ts'
import { createLogActivities } from './log.ts'
import { createReadingRetentionActivities } from './reading-retention.ts'
import { createPeerActivities } from './peer.ts'
import { createPeerQuestionActivities } from './peer-question.ts'
import { createReconcileActivities } from './reconcile.ts'
import { createReplacementActivities } from './replacement.ts'
import { createRestoreActivities, createServerRestoreActivities } from './restore.ts'
import { createRotationActivities } from './rotation.ts'
import { createServerReconcileActivities } from './server-reconcile.ts'
import { createServerTestActivities } from './server-test.ts'
import { createSubscriptionActivities } from './subscription.ts'
import { createTaxIdCheckActivities } from './tax-id-check.ts'
import { createTestClockActivities } from './test-clock.ts'
import { createUsageWatchActivities } from './usage-watch.ts'
import { createUsageActivities } from './usage.ts'
import { createWaitingChangeActivities } from './waiting-change.ts'
import { createWebhookActivities } from './webhook.ts'

export type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'

/** Activities of the installation's queue: rows and Temporal. */
export function createDatabaseActivities(deps: DatabaseDependencies) {
  const activities = {
    ...createSubscriptionActivities(deps),
    ...createBuildActivities(deps),
    ...createRestoreActivities(deps),
    ...createBillingActivities(deps),
    ...createBillingRunActivities(deps),
    ...createTestClockActivities(deps),
    ...createReconcileActivities(deps),
    ...createReadingRetentionActivities(deps),
    ...createCommandEndActivities(deps),
    ...createTaxIdCheckActivities(deps),
    ...createUsageWatchActivities(deps),
    ...createPeerActivities(deps),
    ...createDeployerActivities(deps),
    ...createDeploymentActivities(deps),
    ...createPeerQuestionActivities(deps),
    ...createLimitDecisionActivities(deps),
    ...createWaitingChangeActivities(deps),
    ...createWebhookActivities(deps),
  }
  return beating(refusing(activities, async (error) => noteTaxQuestion(deps.db, error)))
}

/** Activities of one server's queue: they touch its engine, and tell with each heartbeat how far they are. */
export function createServerActivities(deps: ServerDependencies) {
  return refusing({
    ...createStepActivities(deps),
    ...createInstanceActivities(deps),
    ...createInstanceCommandActivities(deps),
    ...createRotationActivities(deps),
    ...createLogActivities(deps),
    ...createLimitActivities(deps),
    ...createLimitHoldActivities(deps),
    ...createLimitLookActivities(deps),
    ...createLinkActivities(deps),
    ...createUsageActivities(deps),
    ...createServerReconcileActivities(deps),
    ...createServerTestActivities(deps),
    ...createReplacementActivities(deps),
    ...createBackupActivities(deps),
    ...createServerRestoreActivities(deps),
  })
}

export type DatabaseActivities = ReturnType<typeof createDatabaseActivities>
export type ServerActivities = ReturnType<typeof createServerActivities>
