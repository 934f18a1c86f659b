import { Context } from '@temporalio/activity'
import { toEventJson } from '#db/read/event-content.ts'
import {
  fallAsleep,
  listDueDeliveries,
  noteAttempts,
  readWebhookToPost,
  type DueDelivery,
  type MadeAttempt,
} from '#db/webhook-delivery.ts'
import { openSecrets, signWebhook } from '#db/webhook-secret.ts'
import { messageOf } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { readRetryAfter } from '#domain/peer-refusal.ts'
import { judgeStatus, webhookRule } from '#domain/webhook.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { eachOf } from './each-of.ts'
import { postOutbound } from './outbound.ts'

const deliveriesAtOnce = 100
/** Posted side by side to one receiver. */
const greatestConcurrency = 8
/** Then the workflow is told how far it is, and goes on. */
const longestTurnMs = 60_000
const answerWithinMs = 15_000
/** Of an answer nothing but its beginning is kept. */
const readAnswerBytes = 2_048

/** What one turn of posting came to. */
export interface WebhookTurn {
  readonly delivered: number
  readonly failed: number
  /** Until something is due again; null: nothing is known to be; 0: something is. */
  readonly waitMs: number | null
  readonly state: 'enabled' | 'disabled' | 'deleted'
}

/** Posts events to other programs: everything that goes out to webhooks goes through here. */
export function createWebhookActivities(deps: DatabaseDependencies) {
  const { db, installationKey } = deps
  const rule = webhookRule({ ...deps, publicUrl: deps.consoleUrl })
  return {
    /**
     * Posts what is due, a hundred deliveries at a time, until nothing is, the receiver is to be left alone, or a minute is over. What was
     * posted and could not be noted is posted again, by the same id.
     */
    async postWebhookDeliveries(input: { webhookId: string }): Promise<WebhookTurn> {
      const webhookId = decodeId('webhook', input.webhookId)
      const endMs = Date.now() + longestTurnMs
      let [delivered, failed] = [0, 0]
      while (Date.now() < endMs) {
        const { state, made } = await postDue(webhookId)
        const taken = made.filter(({ status }) => judgeStatus(status) === 'delivered').length
        delivered += taken
        failed += made.length - taken
        if (made.length > 0) continue
        const waitMs = await fallAsleep(db, webhookId, new Date().toISOString())
        if (waitMs !== 0) return { delivered, failed, waitMs, state }
      }
      return { delivered, failed, waitMs: 0, state: 'enabled' }
    },
  }

  /** Who did not answer is asked by one delivery whether it is back. */
  async function postDue(webhookId: string) {
    const now = new Date().toISOString()
    const webhook = await readWebhookToPost(db, webhookId)
    const { url, state, rests, restsUntil } = webhook
    if (state !== 'enabled' || (restsUntil !== null && restsUntil > now)) return { state, made: [] }
    const due = await listDueDeliveries(db, webhookId, { now, limit: rests > 0 ? 1 : deliveriesAtOnce })
    if (due.length === 0) return { state, made: [] }
    const secrets = await openSecrets(db, installationKey, { webhookId, now })
    const made = await postSideBySide(due, async (delivery) => await post({ url, secrets }, delivery))
    await noteAttempts(db, { webhookId, made, now: new Date().toISOString() })
    return { state, made }
  }

  async function post(
    { url, secrets }: { url: string; secrets: readonly string[] },
    { revision, failures, firstFailedAt, ...event }: DueDelivery,
  ): Promise<MadeAttempt> {
    const delivery = { id: event.id, revision, failures, firstFailedAt }
    const content = toEventJson(event)
    const body = JSON.stringify(content)
    const startedAt = performance.now()
    const at = new Date().toISOString()
    const headers = {
      ...signWebhook(secrets, { id: content.id, body }, Date.parse(at)),
      'user-agent': 'Clouder',
    }
    const durationMs = () => performance.now() - startedAt
    try {
      const {
        status,
        headers: answered,
        text,
      } = await postOutbound(
        { url, body, headers },
        {
          rule,
          abortSignal: AbortSignal.any([
            AbortSignal.timeout(answerWithinMs),
            Context.current().cancellationSignal,
          ]),
          largestAnswerBytes: readAnswerBytes,
          isRestLeft: true,
        },
      )
      const retryAfterMs = readRetryAfter(answered['retry-after'], Date.now())
      return { delivery, at, durationMs: durationMs(), status, retryAfterMs, failure: null, answer: text }
    } catch (error) {
      // That this worker ends is nothing that the receiver did.
      Context.current().cancellationSignal.throwIfAborted()
      const failure = messageOf(error)
      return { delivery, at, durationMs: durationMs(), status: null, failure, answer: null }
    }
  }
}

/** Several at once, until one finds that nobody answers: those that are under way are waited for, the others not begun. */
async function postSideBySide(
  due: readonly DueDelivery[],
  post: (delivery: DueDelivery) => Promise<MadeAttempt>,
): Promise<MadeAttempt[]> {
  const made: MadeAttempt[] = []
  let isStopped = false
  await eachOf(due, greatestConcurrency, async (delivery) => {
    if (isStopped) return
    const attempt = await post(delivery)
    made.push(attempt)
    isStopped ||= ['away', 'gone'].includes(judgeStatus(attempt.status))
  })
  return made
}
