import { z } from '@hono/zod-openapi'
import { dryRunBeside, dryRunBilling } from '#db/billing-dry-run.ts'
import { ensureBillingRun } from '#db/billing-run.ts'
import type { Db } from '#db/database.ts'
import { insertWorkflowStart } from '#db/outbox.ts'
import {
  getBillingRun,
  listBillingRunExceptions,
  listBillingRuns,
  listDocumentCustomers,
} from '#db/read/billing-run.ts'
import { getInstallation } from '#db/read/installation.ts'
import { encodeId } from '#domain/identifier.ts'
import { scheduleIds, taskQueues, workflowIds, workflowTypes } from '#workflows/contract.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { ApiDependencies } from '../dependencies.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import {
  billingRunDetailSchema,
  billingRunSchema,
  dryRunRequestSchema,
  dryRunSchema,
  newBillingRunSchema,
  toBillingRunJson,
  toDryRunJson,
  toExceptionJson,
} from '../schemas/billing-run.ts'
import { idParams } from '../schemas/common.ts'

export function registerBillingRuns(frame: Frame): void {
  registerReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/billing-runs',
      permission: 'billing_runs:write',
      tag: 'Billing',
      summary: 'Bill everything that is due, or only what could not be billed before',
      description: 'The hourly run does the same. Read the run to follow it.',
      body: newBillingRunSchema,
      result: billingRunSchema,
      status: 202,
      location: (run) => `/v1/billing-runs/${run.id}`,
    },
    async ({ db, body, now, commandId, afterCommit }) => {
      const id = await startBillingRun(db, { now, commandId, isFailedOnly: body.failed_only ?? false })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toBillingRunJson(await getBillingRun(db, id))
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/billing-runs/preview',
      permission: 'billing_runs:read',
      tag: 'Billing',
      summary: 'Dry run: who would be billed how much, who not and why',
      description: 'Done as the run does it, and rolled back: nothing is kept.',
      body: dryRunRequestSchema,
      result: dryRunSchema,
      effect: 'nothing',
      refusals: ['not_found'],
    },
    async ({ db, body, now }) => {
      const at = body.at ?? now
      const limit = body.limit ?? 1_000
      const field = { kind: 'document', pointer: '/after', unknown: 'not_found' } as const
      const after = body.after === undefined ? null : await resolveField(db, { ...field, text: body.after })
      const isFailedOnly = body.failed_only ?? false
      const documents = await dryRunBilling(db, { now: at, after, limit, isFailedOnly })
      const rows = await listDocumentCustomers(
        db,
        documents.map(({ documentId }) => documentId),
      )
      // A run of the failed only bills them as well.
      const beside = documents.length < limit ? await dryRunBeside(db, at) : []
      const customers = new Map(rows.map((row) => [row.document_id, row]))
      return toDryRunJson(at, { documents, beside }, customers, limit)
    },
  )
}

function registerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/billing-runs',
      permission: 'billing_runs:read',
      tag: 'Billing',
      summary: 'List billing runs',
      query: z.strictObject(pageQuery),
      result: pageOf(billingRunSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listBillingRuns(db, page), page, toBillingRunJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/billing-runs/{id}',
      permission: 'billing_runs:read',
      tag: 'Billing',
      summary: 'Read a billing run: how much, who was not billed and why, how to retry',
      params: idParams,
      result: billingRunDetailSchema,
    },
    async ({ db, params }) => {
      const id = await resolveAddress(db, 'billingRun', params.id)
      const [row, exceptions, nextRunAt] = await Promise.all([
        getBillingRun(db, id),
        listBillingRunExceptions(db, id),
        readNextRunAt(db, frame.deps),
      ])
      return {
        ...toBillingRunJson(row),
        exceptions: exceptions.map((exception) => toExceptionJson(exception, row.billed_at)),
        next_run_at: nextRunAt,
      }
    },
  )
}

/** The row and the workflow are one transaction; the request's key names both. */
export async function startBillingRun(
  db: Db,
  run: { now: string; commandId: string; isFailedOnly: boolean },
): Promise<string> {
  const installation = await getInstallation(db)
  const workflowId = workflowIds.billingRun(`${run.now}/${run.commandId}`)
  const id = await ensureBillingRun(db, { workflowId, billedAt: run.now })
  await insertWorkflowStart(db, {
    workflow: workflowTypes.billingRun,
    workflowId,
    taskQueue: taskQueues.installation(encodeId('installation', installation.id)),
    args: [{ instant: run.now, ...(run.isFailedOnly ? { isFailedOnly: true } : {}) }],
    keywords: {},
    summary: run.isFailedOnly ? 'Bills what could not be billed before' : 'Bills everything that is due',
    details: `Asked for at ${run.now}.`,
  })
  return id
}

/** Null where Temporal does not answer, or has no schedule: the run's own facts do not wait for it. */
export async function readNextRunAt(
  db: Db,
  { client }: Pick<ApiDependencies, 'client'>,
): Promise<string | null> {
  const { id } = await getInstallation(db)
  try {
    const handle = client.schedule.getHandle(scheduleIds.billingRun(encodeId('installation', id)))
    const { info } = await client.withDeadline(Date.now() + 1_000, async () => handle.describe())
    return info.nextActionTimes[0]?.toISOString() ?? null
  } catch {
    return null
  }
}
