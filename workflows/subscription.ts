import * as wf from '@temporalio/workflow'
import { afterBilling, isReached, nextDueDocument, nextTurnMs, type AgendaDocument } from '#domain/agenda.ts'
import { orderClosedRequest } from '#domain/order-hold.ts'
import { database } from './activities.ts'
import type { BuildResult, SubscriptionInput } from './contract.ts'
import { toRefusal } from './failure.ts'
import { startBuildOrder } from './subscription-build.ts'
import {
  buildHereAndThere,
  deploymentsOf,
  endDeployment,
  isBuilt,
  stopDeployment,
} from './subscription-deployment.ts'
import { answerMeanwhile, answerRetries, carryOutCommands } from './subscription-commands.ts'
import { isGivenUp, untilReleased } from './subscription-hold.ts'
import { pauseIfDue, renewIfDue, resumeIfDue, tellTrialIfDue } from './subscription-pause.ts'
import { applySoldLimits, limitsSettledOnChange, settleLimits } from './subscription-limits.ts'
import { goOnRestoring } from './subscription-restore.ts'
import { readAgenda, takeReadings } from './subscription-steps.ts'
import { settleWaitingChanges } from './subscription-waiting.ts'
import {
  changingRows,
  isAsked,
  nowMs,
  readSubscription,
  registerCommands,
  restore,
  show,
  update,
  upsertStanding,
  type Life,
} from './subscription-life.ts'

/**
 * The whole life of what was sold: it is built, billed period by period for as long as it lives, changed, suspended and
 * resumed, and taken down again when it ends. It never fails; where it is stuck, it is parked and waits for a person.
 */
export async function subscription(input: SubscriptionInput): Promise<void> {
  const life = restore(input)
  registerCommands(life)
  if (!input.carry) await readSubscription(life)
  tell(life)

  if (life.state.phase === 'ordered' || life.state.phase === 'building') await begin(life)
  await goOnRestoring(life)

  while (life.state.phase === 'active' || life.state.phase === 'suspended') {
    await waitForTurn(life)
    const isPeriodBilled = await carryOutCommands(life, settle)
    if (life.limitNews.isTold) await settleNews(life)
    const isBilledNow = await settle(life)
    tell(life)
    if (isPeriodBilled || isBilledNow || wf.workflowInfo().continueAsNewSuggested) await continueLife(life)
  }

  if (life.state.phase === 'unbuilding') await takeDown(life)
  await answerTheLast(life)
}

/** What was measured has changed what is reached, or what fits. */
async function settleNews(life: Life): Promise<void> {
  await settleLimits(life)
  await settleWaitingChanges(life)
}

/** Builds once the order is released, then begins recurrence on the day it was observed ready, and sends the first bill. */
async function begin(life: Life): Promise<void> {
  if (!(await untilReleased(life))) return await abandon(life)
  if (isBuilt(life)) {
    update(life, { phase: 'building' })
    tell(life)
    if (!(await untilBuilt(life))) return await abandon(life)
  }
  await activate(life)
}

/** True once everything runs; false when the subscription was cancelled before. A failed build waits for a person. */
async function untilBuilt(life: Life): Promise<boolean> {
  for (;;) {
    if (life.state.parkedReason === null) {
      const result = await buildHereAndThere(life)
      if (result.state === 'done') return true
      if (result.state === 'cancelled') return false
      await park(life, 'build_failed', {
        code: result.code,
        detail: `${sentence(result.detail)} ${whatIsLeft(result.code)} Remove the cause, then retry the build.`,
      })
    }
    await wf.condition(() => life.inbox.length > 0 || life.orderNews.isClosed)
    answerMeanwhile(life)
    if (isGivenUp(life)) return false
    if (isAsked(life, 'retryBuild')) await unpark(life)
  }
}

/** A deployer that refuses has made nothing, or keeps what it has for the next try. */
function whatIsLeft(code: string): string {
  return code === 'deployer_refuses'
    ? 'Nothing was billed.'
    : 'Nothing was billed and what was made is undone.'
}

/** It, or its order, was cancelled before it was active: what was made is undone, nothing is billed. */
async function abandon(life: Life): Promise<void> {
  const command = life.inbox.find((asked) => asked.kind === 'cancel')
  const requestId = command?.requestId ?? orderClosedRequest
  if (isGivenUp(life)) {
    await database.cancelSubscription.executeWithOptions({ summary: 'cancelled before it was active' }, [
      {
        subscriptionId: life.subscriptionId,
        requestId,
        nowMs: nowMs(life),
        when: 'now',
      },
    ])
  }
  await unpark(life)
  await setPhase(life, 'unbuilding')
  await carryOutCommands(life, settle)
}

async function activate(life: Life): Promise<void> {
  await applySoldLimits(life)
  await takeReadings(life, 'opening reading', true)
  if (!(await beginRecurrence(life))) return await abandon(life)
  tell(life)
  update(life, { lastInvoices: await billTheFirst(life) })
  update(life, { agenda: await readAgenda(life) })
  tell(life)
  const isOneTime = life.state.agenda.documents.length === 0 && !isBuilt(life)
  if (isOneTime) await setPhase(life, 'ended', 'subscription.ended')
}

/**
 * The first bill, together with what else of the order is built on this day: whoever comes last bills for all. What is asked
 * meanwhile need not wait for the others.
 */
async function billTheFirst(life: Life): Promise<string[]> {
  for (let waitMs = firstSiblingsWaitMs; ; waitMs *= 2) {
    const key = { subscriptionId: life.subscriptionId, nowMs: nowMs(life), isAlone: life.inbox.length > 0 }
    const { isWaiting, invoices } = await insist(
      life,
      async () => await database.billOpening.executeWithOptions({ summary: 'first bill' }, [key]),
    )
    if (isWaiting !== true) return invoices
    await wf.condition(() => life.inbox.length > 0, waitMs, {
      summary: 'until the rest of the order is built, or something is asked',
    })
  }
}

/** Each wait is as long as all before it: a build of hours costs a dozen looks. */
const firstSiblingsWaitMs = 5_000

/** False where its order was ended in the last moment: then it never was active. */
async function beginRecurrence(life: Life): Promise<boolean> {
  const key = { subscriptionId: life.subscriptionId, nowMs: nowMs(life) }
  return await changingRows(life, async () => {
    try {
      const { isCancelled = false, ...agenda } = await database.activateSubscription.executeWithOptions(
        { summary: 'begin recurrence' },
        [key],
      )
      update(life, { phase: 'active', agenda, parkedReason: null, ...(isCancelled ? { isCancelled } : {}) })
      return true
    } catch (error) {
      if (toRefusal(error).code !== 'order_ended') throw error
      update(life, { order: { state: 'ended' } })
      return false
    }
  })
}

/** Sleeps until something is due or asked. A subscription on a test clock sleeps until it is told the time. */
async function waitForTurn(life: Life): Promise<void> {
  const turnMs = nextTurnMs(life.state.agenda, settlement(life))
  const isAsked = () => life.inbox.length > 0 || life.limitNews.isTold
  if (turnMs === null || life.state.testClockMs !== null) return await wf.condition(isAsked)
  const document = life.state.agenda.documents[0]
  const summary = document
    ? `until period ${document.periodIndex} is due, or something is asked`
    : 'until something is due or asked'
  if (turnMs > nowMs(life)) await wf.condition(isAsked, turnMs - nowMs(life), { summary })
}

/** Does everything that is due by the calendar. True when a period was billed. */
async function settle(life: Life): Promise<boolean> {
  await tellTrialIfDue(life)
  if (isReached(life.state.agenda.endsAtMs, nowMs(life))) {
    await close(life)
    return false
  }
  if (isReached(life.state.agenda.changeAtMs, nowMs(life))) {
    if (life.state.phase === 'active') await applySoldLimits(life)
    update(life, { agenda: await readAgenda(life) })
    if (wf.patched(limitsSettledOnChange)) await settleLimits(life)
  }
  if (isReached(life.state.agenda.waitingAtMs, nowMs(life))) await settleWaitingChanges(life)
  await renewIfDue(life)
  await pauseIfDue(life)
  await resumeIfDue(life)
  return await billDuePeriods(life)
}

async function billDuePeriods(life: Life): Promise<boolean> {
  let isBilled = false
  for (;;) {
    const due = nextDueDocument(life.state.agenda, settlement(life), nowMs(life))
    if (!due) return isBilled
    const key = { documentId: due.documentId, periodIndex: due.periodIndex, nowMs: nowMs(life) }
    try {
      const billed = await database.billPeriod.executeWithOptions(
        { summary: `bill period ${due.periodIndex}` },
        [key],
      )
      if (billed.isWaiting) postpone(life, due, readingsWaitMs)
      else update(life, { agenda: afterBilling(life.state.agenda, due.documentId, billed.next) })
      if (billed.invoiceNumber)
        update(life, { lastInvoices: [billed.invoiceNumber, ...life.state.lastInvoices].slice(0, 3) })
      isBilled ||= !billed.isWaiting
    } catch (error) {
      const refusal = toRefusal(error)
      await database.parkDocument.executeWithOptions({ summary: `document parked: ${refusal.code}` }, [
        { documentId: due.documentId, ...refusal },
      ])
      postpone(life, due, anHourMs)
    }
  }
}

const anHourMs = 3_600_000
/** A document waits for the readings of all its instances; meanwhile the subscription takes commands. */
const readingsWaitMs = 120_000

function postpone(life: Life, due: AgendaDocument, waitMs: number): void {
  const next = { periodIndex: due.periodIndex, dueAtMs: nowMs(life) + waitMs }
  update(life, { agenda: afterBilling(life.state.agenda, due.documentId, next) })
}

/** The end of service: the closing reading, the last bills, then the way back. */
async function close(life: Life): Promise<void> {
  if (life.state.phase === 'active') await takeReadings(life, 'closing reading', false)
  for (const deploymentId of deploymentsOf(life))
    await insist(life, async () => await stopDeployment(deploymentId, 'It ends where it is billed.'))
  await billDuePeriods(life)
  const key = { subscriptionId: life.subscriptionId, nowMs: nowMs(life) }
  const { invoices } = await insist(
    life,
    async () => await database.billFinal.executeWithOptions({ summary: 'final bill' }, [key]),
  )
  update(life, { lastInvoices: invoices, agenda: { documents: [], endsAtMs: null, changeAtMs: null } })
  await setPhase(life, 'unbuilding')
}

/** Unbuilds until nothing is left; what cannot be removed waits for a person. */
async function takeDown(life: Life): Promise<void> {
  if (life.state.serverIds.length > 0)
    await untilDown(life, async () => await (await startBuildOrder(life, 'unbuild')).result)
  for (const deploymentId of deploymentsOf(life))
    await untilDown(life, async () => await endDeployment(deploymentId))
  await setPhase(life, 'ended', 'subscription.ended')
  await carryOutCommands(life, settle)
  tell(life)
}

async function untilDown(life: Life, attempt: () => Promise<BuildResult>): Promise<void> {
  for (;;) {
    if (life.state.parkedReason === null) {
      const result = await attempt()
      if (result.state === 'done') return
      await park(life, 'unbuild_failed', {
        code: result.code,
        detail: `${sentence(result.detail)} Remove the cause, then retry.`,
      })
    }
    await wf.condition(() => life.inbox.length > 0)
    answerMeanwhile(life)
    if (isAsked(life, 'retryBuild')) await unpark(life)
    await carryOutCommands(life, settle)
  }
}

/** What an engine says often ends without a full stop. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

async function setPhase(
  life: Life,
  phase: 'unbuilding' | 'ended',
  event?: 'subscription.ended',
): Promise<void> {
  await changingRows(life, async () => {
    await database.setPhase.executeWithOptions({ summary: `phase ${phase}` }, [
      { subscriptionId: life.subscriptionId, phase, nowMs: nowMs(life), ...(event ? { event } : {}) },
    ])
    update(life, { phase })
  })
  tell(life)
}

async function park(
  life: Life,
  kind: 'build_failed' | 'unbuild_failed' | 'bill_failed',
  refusal: { code: string; detail: string },
): Promise<void> {
  // First here, then in the row: who reads in the row that it is parked may ask for the retry at once.
  update(life, { parkedReason: refusal.code })
  await database.parkSubscription.executeWithOptions({ summary: `parked: ${refusal.code}` }, [
    { subscriptionId: life.subscriptionId, kind, ...refusal, nowMs: nowMs(life) },
  ])
  tell(life)
}

/** A bill that must not be left out: refused for good, it waits with a task until its cause is gone. */
async function insist<T>(life: Life, bill: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await bill()
    } catch (error) {
      const { code, detail } = toRefusal(error)
      await park(life, 'bill_failed', { code, detail: `${sentence(detail)} Remove the cause, then retry.` })
    }
    await wf.condition(() => isAsked(life, 'retryBuild'))
    await unpark(life)
  }
}

/** The command that helped is answered with it. */
async function unpark(life: Life): Promise<void> {
  await changingRows(life, async () => {
    if (life.state.parkedReason !== null) {
      await database.unparkSubscription.executeWithOptions({ summary: 'no longer parked' }, [
        { subscriptionId: life.subscriptionId, nowMs: nowMs(life) },
      ])
    }
    update(life, { parkedReason: null })
  })
  answerRetries(life)
  tell(life)
}

function settlement(life: Life) {
  return {
    subscriptionId: life.subscriptionId,
    windowMs: life.state.testClockMs === null ? life.state.settlementWindowMs : 0,
  }
}

function tell(life: Life): void {
  upsertStanding(life)
  show(life)
}

/** Nobody who asked is left without an answer: what comes while the last handlers finish is answered too. */
async function answerTheLast(life: Life): Promise<void> {
  for (;;) {
    await wf.condition(() => wf.allHandlersFinished() || life.inbox.length > 0)
    if (life.inbox.length === 0) return
    await carryOutCommands(life, settle)
  }
}

/** A new run at each period's boundary keeps histories short. Only when nobody waits for an answer, and with all that is known. */
async function continueLife(life: Life): Promise<void> {
  await wf.condition(() => wf.allHandlersFinished() || life.inbox.length > 0)
  if (life.limitNews.isTold) return
  if (life.inbox.length > 0 || (life.state.phase !== 'active' && life.state.phase !== 'suspended')) return
  await wf.continueAsNew<typeof subscription>({ subscriptionId: life.subscriptionId, carry: life.state })
}
