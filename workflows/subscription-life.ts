import * as wf from '@temporalio/workflow'
import { emptyAgenda } from '#domain/agenda.ts'
import { sayHold } from '#domain/order-hold.ts'
import { refuseCommand, type SubscriptionCommand, type SubscriptionStanding } from '#domain/subscription.ts'
import { database } from './activities.ts'
import {
  limitSignal,
  orderSignals,
  searchAttributes,
  type CommandAnswer,
  type SubscriptionCarry,
  type SubscriptionInput,
} from './contract.ts'
import type { Refusal } from './failure.ts'

/** A subscription while its workflow runs: what it remembers, and the commands that wait for their turn. */
export interface Life {
  readonly subscriptionId: string
  state: SubscriptionCarry
  readonly inbox: SubscriptionCommand[]
  /** What signals told of its order; only before it is active it matters. */
  readonly orderNews: { isReleased: boolean; isClosed: boolean }
  /** A signal told that a limit was crossed; what came of it is not decided yet. */
  readonly limitNews: { isTold: boolean }
  /** A step is changing the rows, which may be ahead of what is remembered here. */
  isChangingRows: boolean
}

export type CommandOf<Kind extends SubscriptionCommand['kind']> = Extract<SubscriptionCommand, { kind: Kind }>

const answersKept = 50

/** The state of a first run, before its row was read. */
const unread: SubscriptionCarry = {
  phase: 'ordered',
  parkedReason: null,
  isCancelled: false,
  agenda: emptyAgenda,
  testClockMs: null,
  settlementWindowMs: 0,
  consoleUrl: '',
  customerId: '',
  productId: '',
  title: '',
  serverIds: [],
  answers: [],
  lastInvoices: [],
}

/** Restores what was carried over, before anything is waited for. */
export function restore(input: SubscriptionInput): Life {
  return {
    subscriptionId: input.subscriptionId,
    state: input.carry ?? unread,
    inbox: [],
    orderNews: { isReleased: false, isClosed: false },
    limitNews: { isTold: false },
    isChangingRows: false,
  }
}

/** The one clock that decisions see: the test clock's now, else the workflow's own, which replays alike. */
export function nowMs(life: Life): number {
  return life.state.testClockMs ?? Date.now()
}

/** Of its rows, a command that is carried out. */
export function keyOf(life: Life, command: SubscriptionCommand) {
  return {
    subscriptionId: life.subscriptionId,
    requestId: command.requestId,
    nowMs: nowMs(life),
  }
}

export function update(life: Life, change: Partial<SubscriptionCarry>): void {
  life.state = { ...life.state, ...change }
}

export function standing(life: Life): SubscriptionStanding {
  return {
    phase: life.state.phase,
    isParked: life.state.parkedReason !== null,
    isCancelled: life.state.isCancelled,
    isPausePlanned: life.state.agenda.pauseAtMs !== undefined,
    isChangeWaiting: life.state.agenda.waitingAtMs !== undefined,
  }
}

const commandDescriptions: Readonly<Record<SubscriptionCommand['kind'], string>> = {
  cancel: 'End at the end of the paid period, or now.',
  uncancel: 'Withdraw a cancellation that has not taken effect.',
  changePlan: 'Change quantity, product, price or interval of a line, when its terms allow it.',
  withdrawChange: 'Withdraw a change that waits until less is used.',
  pause: 'Stop service and billing from a day on, until another or until it is resumed.',
  unpause: 'Withdraw a pause that has not begun.',
  stopLine: 'End one line on a day, not before it was billed to.',
  cancelLine: 'Withdraw one line as if it had never begun, where nothing of it was billed.',
  uncancelLine: 'Bring a cancelled line back, with what went with it.',
  delayLine: 'Begin a line that was never billed on a later day.',
  deleteLine: 'Take a line that was never billed out of the rows.',
  planSuccessor: 'Have a line that ends followed by another like it.',
  transfer: 'Hand a line, or a part of its quantity, to another customer.',
  setTerm: 'Agree a fixed term, and whether it is renewed.',
  setRecurrence: 'Bill all that recurs by one recurrence, from the next periods on.',
  suspend: 'Stop the instances and keep their data.',
  resume: 'Start the instances again.',
  restore: 'Put a backup in place of what an instance holds.',
  retryBuild: 'Try a parked build or unbuild again, once its cause is gone.',
  advanceTestClock: 'Tell what time the test clock shows.',
}

/** Handlers only record; the story takes the commands one after the other. A command that comes again is answered again. */
export function registerCommands(life: Life): void {
  wf.setHandler(wf.defineSignal(orderSignals.released), () => void (life.orderNews.isReleased = true))
  wf.setHandler(wf.defineSignal(orderSignals.closed), () => void (life.orderNews.isClosed = true))
  wf.setHandler(wf.defineSignal(limitSignal), () => void (life.limitNews.isTold = true))
  for (const [kind, description] of Object.entries(commandDescriptions) as [
    SubscriptionCommand['kind'],
    string,
  ][]) {
    wf.setHandler(
      wf.defineUpdate<CommandAnswer, [SubscriptionCommand]>(kind),
      async (command) => await answerOf(life, command),
      {
        validator: (command) => {
          // Without its row, or behind it, nothing is known to refuse by: the story decides when its turn comes.
          if (life.state === unread || life.isChangingRows || findAnswer(life, command.requestId)) return
          const refusal = refuseCommand(standing(life), command.kind)
          if (refusal) throw wf.ApplicationFailure.nonRetryable(refusal.message, refusal.code)
        },
        description,
      },
    )
  }
}

/**
 * A step that changes what decides over commands, first in the rows and then here. Who reads in the rows that it is done may
 * ask for the next thing at once: that waits for its turn, and is not refused by what was.
 */
export async function changingRows<Result>(life: Life, step: () => Promise<Result>): Promise<Result> {
  const isWithin = life.isChangingRows
  life.isChangingRows = true
  try {
    return await step()
  } finally {
    life.isChangingRows = isWithin
  }
}

async function answerOf(life: Life, command: SubscriptionCommand): Promise<CommandAnswer> {
  const isWaiting = life.inbox.some((waiting) => waiting.requestId === command.requestId)
  if (!isWaiting && !findAnswer(life, command.requestId)) life.inbox.push(command)
  await wf.condition(() => findAnswer(life, command.requestId) !== undefined)
  return findAnswer(life, command.requestId) ?? { requestId: command.requestId, refusal: null }
}

function findAnswer(life: Life, requestId: string): CommandAnswer | undefined {
  return life.state.answers.find((answer) => answer.requestId === requestId)
}

export function isAsked(life: Life, kind: SubscriptionCommand['kind']): boolean {
  return life.inbox.some((command) => command.kind === kind)
}

/** The first answer stays: what takes long is answered when it has begun. */
export function answer(life: Life, requestId: string, refusal: Refusal | null): void {
  if (findAnswer(life, requestId)) return
  update(life, { answers: [...life.state.answers, { requestId, refusal }].slice(-answersKept) })
}

/** Reads the row of a subscription that starts: a workflow that was lost begins where its row stands. */
export async function readSubscription(life: Life): Promise<void> {
  const input = { subscriptionId: life.subscriptionId }
  const ticket = await database.openSubscription.executeWithOptions({ summary: 'read the subscription' }, [
    input,
  ])
  update(life, {
    phase: ticket.phase,
    parkedReason: ticket.parkedReason,
    isCancelled: ticket.isCancelled,
    testClockMs: ticket.testClockMs,
    settlementWindowMs: ticket.settlementWindowMs,
    consoleUrl: ticket.consoleUrl,
    customerId: ticket.customerId,
    productId: ticket.productId,
    title: ticket.title,
    serverIds: ticket.serverIds,
    order: ticket.order,
    ...(ticket.deploymentIds ? { deploymentIds: ticket.deploymentIds } : {}),
    ...(ticket.limited ? { limited: ticket.limited } : {}),
    ...(ticket.restore ? { restore: ticket.restore } : {}),
  })
  if (ticket.phase === 'active' || ticket.phase === 'suspended') {
    const agenda = await database.readAgenda.executeWithOptions({ summary: 'read what is due' }, [
      { ...input, nowMs: nowMs(life) },
    ])
    update(life, { agenda })
  }
}

/** What a person sees in Temporal's UI, without our console. */
export function show(life: Life): void {
  const { state } = life
  const nextInvoice = state.agenda.documents.toSorted((first, second) => first.dueAtMs - second.dueAtMs)[0]
  const rows = [
    ['phase', state.parkedReason ? `${state.phase}, parked: ${state.parkedReason}` : state.phase],
    ['sold', `${state.title} (${state.productId})`],
    ['customer', state.customerId],
    ...orderRow(life),
    ...((state.limited ?? []).length > 0 ? [['limits reached', (state.limited ?? []).join(', ')]] : []),
    ['servers', state.serverIds.join(', ') || 'none'],
    ...(state.deploymentIds ? [['deployed elsewhere', state.deploymentIds.join(', ')]] : []),
    [
      'next invoice',
      nextInvoice ? `${toDate(nextInvoice.dueAtMs)}, period ${nextInvoice.periodIndex}` : 'none',
    ],
    ['ends', state.agenda.endsAtMs === null ? 'not cancelled' : toDate(state.agenda.endsAtMs)],
    ...dated('pauses', state.agenda.pauseAtMs),
    ...dated('resumes', state.agenda.resumeAtMs),
    ...dated('term is renewed', state.agenda.termAtMs),
    ...dated('end of trial is told', state.agenda.trialNoticeAtMs),
    ...dated('a change waits for less use, which is told of on', state.agenda.waitingAtMs),
    ['last invoices', state.lastInvoices.join(', ') || 'none yet'],
    ['console', `[${life.subscriptionId}](${state.consoleUrl})`],
    ['test clock', state.testClockMs === null ? 'real time' : new Date(state.testClockMs).toISOString()],
  ]
  wf.setCurrentDetails(
    ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'),
  )
}

function orderRow({ state }: Life): string[][] {
  if (state.phase !== 'ordered' || state.order?.state !== 'held') return []
  const { kinds, sinceMs, untilMs } = state.order
  const until = untilMs === null ? '' : `, until ${toDate(untilMs)}`
  return [['order', `${kinds.map(sayHold).join(', ')}, since ${toDate(sinceMs)}${until}`]]
}

function dated(name: string, momentMs: number | undefined): string[][] {
  return momentMs === undefined ? [] : [[name, toDate(momentMs)]]
}

/** Tells phase, error and next invoice date to Temporal's list; only what changed costs an event. */
export function upsertStanding(life: Life): void {
  const current = wf.workflowInfo().typedSearchAttributes
  const dueAtMs = Math.min(...life.state.agenda.documents.map((document) => document.dueAtMs))
  const nextInvoice = Number.isFinite(dueAtMs) ? new Date(dueAtMs) : null
  const changes: Parameters<typeof wf.upsertSearchAttributes>[0] = [
    ...changed(searchAttributes.phase, current.get(searchAttributes.phase) ?? null, life.state.phase),
    ...changed(searchAttributes.error, current.get(searchAttributes.error) ?? null, life.state.parkedReason),
    ...changed(
      searchAttributes.limit,
      current.get(searchAttributes.limit) ?? null,
      (life.state.limited ?? []).join(', ') || null,
    ),
    ...(current.get(searchAttributes.nextInvoiceDate)?.getTime() === nextInvoice?.getTime()
      ? []
      : [{ key: searchAttributes.nextInvoiceDate, value: nextInvoice }]),
  ]
  if (changes.length > 0) wf.upsertSearchAttributes(changes)
}

function changed<Key>(
  key: Key,
  before: string | null,
  after: string | null,
): { key: Key; value: string | null }[] {
  return before === after ? [] : [{ key, value: after }]
}

function toDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}
