import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { insertWorkflowStart } from '#db/outbox.ts'
import { getInstallation } from '#db/read/installation.ts'
import { getTestClock, listTestClocks } from '#db/read/test-clock.ts'
import { insertTestClock, lockTestClock, setTestClockTarget } from '#db/test-clock.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { advanceTarget } from '#domain/test-clock.ts'
import { taskQueues, workflowIds, workflowTypes } from '#workflows/contract.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import { idParams } from '../schemas/common.ts'
import { advanceSchema, newTestClockSchema, testClockSchema, toTestClockJson } from '../schemas/test-clock.ts'

export function registerTestClocks(frame: Frame): void {
  registerTestClockReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/test-clocks',
      permission: 'clocks:write',
      tag: 'Test clocks',
      summary: 'Create a test clock',
      body: newTestClockSchema,
      result: testClockSchema,
      status: 201,
      location: (clock) => `/v1/test-clocks/${clock.id}`,
    },
    async ({ db, body }) =>
      toTestClockJson(
        await getTestClock(db, await insertTestClock(db, { name: body.name, nowAt: body.now })),
      ),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/test-clocks/{id}/advance',
      permission: 'clocks:write',
      tag: 'Test clocks',
      summary: 'Advance a test clock',
      description:
        'Everything that falls due on the way is really done. Read the clock to follow it: it is there when is_advancing is false.',
      params: idParams,
      body: advanceSchema,
      result: testClockSchema,
      status: 202,
      location: (clock) => `/v1/test-clocks/${clock.id}`,
      refusals: ['clock_backwards', 'clock_too_far'],
    },
    async ({ db, params, body, afterCommit }) => {
      const id = await resolveAddress(db, 'testClock', params.id)
      await startAdvance(db, { id, step: body })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toTestClockJson(await getTestClock(db, id))
    },
  )
}

function registerTestClockReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/test-clocks',
      permission: 'clocks:read',
      tag: 'Test clocks',
      summary: 'List test clocks',
      query: z.strictObject(pageQuery),
      result: pageOf(testClockSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listTestClocks(db, page), page, toTestClockJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/test-clocks/{id}',
      permission: 'clocks:read',
      tag: 'Test clocks',
      summary: 'Read a test clock, and how far it has come',
      params: idParams,
      result: testClockSchema,
    },
    async ({ db, params }) =>
      toTestClockJson(await getTestClock(db, await resolveAddress(db, 'testClock', params.id))),
  )
}

/** The target and the workflow that goes there are one transaction. A clock that is still on its way goes on from its target. */
async function startAdvance(
  db: Db,
  request: { id: string; step: z.output<typeof advanceSchema> },
): Promise<void> {
  const clock = await lockTestClock(db, request.id)
  if (!clock) throw new BusinessError('not_found', 'There is no such test clock.')
  const from = clock.targetAt !== null && clock.targetAt > clock.nowAt ? clock.targetAt : clock.nowAt
  const installation = await getInstallation(db)
  const targetAt = readTarget(from, request.step, installation.timeZone)
  await setTestClockTarget(db, request.id, targetAt)
  const testClockId = encodeId('testClock', request.id)
  await insertWorkflowStart(db, {
    workflow: workflowTypes.testClock,
    workflowId: workflowIds.testClock(testClockId, targetAt),
    taskQueue: taskQueues.installation(encodeId('installation', installation.id)),
    args: [{ testClockId, fromAt: from, targetAt }],
    keywords: {},
    summary: `Test clock to ${targetAt}`,
    details: `Advances ${testClockId} from ${from} to ${targetAt}.`,
  })
}

function readTarget(from: string, step: z.output<typeof advanceSchema>, timeZone: string): string {
  try {
    return advanceTarget(from, step.to === undefined ? { by: step.by ?? '' } : { to: step.to }, timeZone)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    throw fieldError(step.to === undefined ? '/by' : '/to', error.code, error.message)
  }
}
