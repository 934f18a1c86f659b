import { listInstanceValues } from '#db/instance-value.ts'
import { listBackups, listRestorableInPlace } from '#db/read/backup.ts'
import { findQueuePlace } from '#db/read/build-queue.ts'
import { listBuildsOf, listBuildSteps } from '#db/read/build.ts'
import { listChangeRequests } from '#db/read/change-request.ts'
import { listDeployments } from '#db/read/deployer.ts'
import { listNewestEvents } from '#db/read/event.ts'
import { listFindingsOf } from '#db/read/finding.ts'
import { listInstancesOf, listLimitCommands } from '#db/read/instance.ts'
import { listInvoices } from '#db/read/invoice.ts'
import { listLinksOfInstances } from '#db/read/link.ts'
import { findSubscription, listSubscriptionLines } from '#db/read/subscription.ts'
import { listWaitingChanges } from '#db/read/waiting-change.ts'
import { getTestClock } from '#db/read/test-clock.ts'
import { readFeatures } from '#db/feature.ts'
import { listSpendCaps } from '#db/spend-cap.ts'
import { listSuspensions } from '#db/suspension.ts'
import type { Db } from '#db/database.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import { readBillsContent } from '../bills-content.ts'

const shownInvoices = 12
const shownEvents = 50

export type SubscriptionContent = Awaited<ReturnType<typeof readSubscriptionContent>>

/** All that the page of a subscription shows. @throws `not_found`, `id_kind_mismatch` */
export async function readSubscriptionContent(db: Db, address: string) {
  const id = await resolveAddress(db, 'subscription', address)
  const publicId = encodeId('subscription', id)
  const row = await findSubscription(db, id)
  if (!row) throw new BusinessError('not_found', `There is no subscription ${publicId}.`)
  const onlyThis = { subscriptionId: id, buildOrderId: null, limit: shownEvents }
  const newest = { limit: shownInvoices, cursor: null, direction: 'after' } as const
  const [
    lines,
    instances,
    builds,
    queue,
    events,
    invoices,
    requests,
    testClock,
    caps,
    suspensions,
    waiting,
    backups,
    restorable,
    deployments,
  ] = await Promise.all([
    listSubscriptionLines(db, id),
    readInstances(db, id),
    readBuilds(db, id),
    findQueuePlace(db, id),
    listNewestEvents(db, onlyThis),
    listInvoices(db, { ...newest, customerId: null, documentId: null, subscriptionId: id }),
    listChangeRequests(db, { ...newest, state: null, subscriptionId: id }),
    row.test_clock_id === null ? null : getTestClock(db, row.test_clock_id),
    listSpendCaps(db, id),
    row.phase === 'suspended' ? listSuspensions(db, id) : [],
    listWaitingChanges(db, id),
    listBackups(db, { ...newest, subscriptionId: id }),
    listRestorableInPlace(db, id),
    listDeployments(db, id),
  ])
  const now = new Date().toISOString()
  const [values, bills, features] = await Promise.all([
    listInstanceValues(
      db,
      instances.map((instance) => instance.id),
    ),
    readBillsContent(db, id, testClock?.now_at ?? now),
    readFeatures(db, id, now),
  ])
  return {
    publicId,
    row,
    lines,
    instances,
    deployments,
    backups,
    suspensions,
    restorable,
    values,
    builds,
    queue,
    events,
    invoices,
    requests,
    waiting,
    testClock,
    caps,
    ...bills,
    features,
  }
}

async function readInstances(db: Db, subscriptionId: string) {
  const [instances, findings] = await Promise.all([
    listInstancesOf(db, subscriptionId),
    listFindingsOf(db, subscriptionId),
  ])
  const links = await listLinksOfInstances(
    db,
    instances.map(({ id }) => id),
  )
  return await Promise.all(
    instances.map(async (instance) => ({
      ...instance,
      links: links.filter((link) => link.wanting_instance_id === instance.id),
      commands: await listLimitCommands(db, instance.id),
      findings: findings.filter((finding) => finding.instance_id === instance.id),
    })),
  )
}
export type InstanceContent = SubscriptionContent['instances'][number]

/** Newest first, each with its steps. */
async function readBuilds(db: Db, subscriptionId: string) {
  const builds = await listBuildsOf(db, subscriptionId)
  return await Promise.all(
    builds.map(async (build) => ({
      ...build,
      steps: await listBuildSteps(db, build.id),
    })),
  )
}
export type BuildContent = SubscriptionContent['builds'][number]
