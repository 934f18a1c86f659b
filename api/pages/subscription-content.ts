import { listInstanceValues } from '#db/instance-value.ts'
import { listBackups, listRestorableInPlace } from '#db/read/backup.ts'
import { findQueuePlace } from '#db/read/build-queue.ts'
import { listBuildsOf, listBuildSteps } from '#db/read/build.ts'
import { listChangeRequests } from '#db/read/change-request.ts'
import { listNewestEvents } from '#db/read/event.ts'
import { expectInvoices, subscriptionOf } from '#db/read/expected-invoice.ts'
import { listFindingsOf } from '#db/read/finding.ts'
import { listInstancesOf, listLimitCommands } from '#db/read/instance.ts'
import { listInvoices } from '#db/read/invoice.ts'
import { listLinksOfInstances } from '#db/read/link.ts'
import { readStanding, type ReadDocument, type ReadStanding } from '#db/read/standing.ts'
import { findSubscription, listSubscriptionLines } from '#db/read/subscription.ts'
import { listWaitingChanges } from '#db/read/waiting-change.ts'
import { getTestClock } from '#db/read/test-clock.ts'
import { presentCostOf, readDaysOfUsage } from '#db/present-usage.ts'
import { readFeatures } from '#db/feature.ts'
import { listSpendCaps } from '#db/spend-cap.ts'
import { listSuspensions } from '#db/suspension.ts'
import type { Db } from '#db/database.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { DocumentLineDraft } from '#domain/invoice/document.ts'
import { resolveAddress } from '../addressing.ts'

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

/** What of the next invoices is this subscription's; the reason, where none can be computed. */
export type ExpectedContent =
  | { readonly on: string; readonly lines: readonly DocumentLineDraft[]; readonly totalMinor: number }
  | { readonly refusal: string }

/**
 * What is billed next, and what is used in the periods that run, day by day: one look at what bills are computed from. Of what
 * cannot be computed at the moment, the reason.
 */
async function readBillsContent(db: Db, subscriptionId: string, now: string) {
  const nothing = { present: null, days: new Map<never, never>() }
  try {
    const standing = await readStanding(db, { subscriptionId })
    const usage = await readUsageContent(db, { subscriptionId, bills: standing?.documents ?? [], now })
    const expected = standing && (await readExpected(db, subscriptionId, standing))
    return { expected, ...usage }
  } catch (error) {
    const { message: refusal } = await explain(db, error)
    return { expected: { refusal }, ...nothing }
  }
}

async function readUsageContent(
  db: Db,
  { bills, ...of }: { subscriptionId: string; bills: readonly ReadDocument[]; now: string },
) {
  try {
    const present = await presentCostOf(db, bills, of)
    const days = await readDaysOfUsage(db, of.subscriptionId, { lines: present.lines, now: of.now })
    return { present, days }
  } catch (error) {
    await explain(db, error)
    return { present: null, days: new Map<never, never>() }
  }
}

async function readExpected(
  db: Db,
  subscriptionId: string,
  standing: ReadStanding,
): Promise<ExpectedContent | null> {
  try {
    const expected = expectInvoices(standing, { subscriptionId })
    if (expected === null) return null
    const lines = expected.bills
      .flatMap(({ draft }) => draft.lines)
      .filter((line) => subscriptionOf(line, expected.standing) === subscriptionId)
    const totalMinor = lines.reduce((sum, { amountMinor, taxMinor }) => sum + amountMinor + taxMinor, 0)
    return { on: expected.on, lines, totalMinor }
  } catch (error) {
    const { message: refusal } = await explain(db, error)
    return { refusal }
  }
}

/** A refusal is shown; anything else is a fault. */
async function explain(db: Db, error: unknown): Promise<BusinessError> {
  await noteTaxQuestion(db, error)
  if (error instanceof BusinessError) return error
  throw error
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
