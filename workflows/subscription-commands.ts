import { patched } from '@temporalio/workflow'
import type { Agenda } from '#domain/agenda.ts'
import { refuseCommand, type LineCommand, type SubscriptionCommand } from '#domain/subscription.ts'
import { database } from './activities.ts'
import { toRefusal, type Refusal } from './failure.ts'
import { pauseIfDue } from './subscription-pause.ts'
import { applySoldLimits } from './subscription-limits.ts'
import { restore } from './subscription-restore.ts'
import { changeLimit, changePlan, withdrawChange } from './subscription-change.ts'
import { startInstances, stopInstances, takeReadings } from './subscription-steps.ts'
import {
  answer,
  changingRows,
  keyOf,
  standing,
  update,
  type CommandOf,
  type Life,
} from './subscription-life.ts'

/**
 * Carries out what was asked, one after the other, each decided against the state it finds. True when telling the time
 * made a period be billed.
 */
export async function carryOutCommands(
  life: Life,
  settle: (life: Life) => Promise<boolean>,
): Promise<boolean> {
  let isPeriodBilled = false
  for (let command = life.inbox[0]; command; command = life.inbox[0]) {
    const refused = refuseCommand(standing(life), command.kind)
    const isHandled = life.state.answers.some((known) => known.requestId === command?.requestId)
    let refusal: Refusal | null = null
    if (!isHandled) {
      refusal =
        refused && !isHelp(life, command)
          ? { code: refused.code, detail: refused.message }
          : await changingRows(life, async () => await attempt(life, command))
      if (command.kind === 'advanceTestClock' && isAlive(life))
        isPeriodBilled = (await settle(life)) || isPeriodBilled
    }
    life.inbox.shift()
    if (!isHandled) answer(life, command.requestId, refusal)
  }
  return isPeriodBilled
}

/** Commands that changed the phase themselves before they are answered: they were checked when they were taken. */
function isHelp(life: Life, command: SubscriptionCommand): boolean {
  const isOnTheWay = life.state.phase === 'building' || life.state.phase === 'unbuilding'
  return isOnTheWay && (command.kind === 'retryBuild' || command.kind === 'cancel')
}

function isAlive(life: Life): boolean {
  return life.state.phase === 'active' || life.state.phase === 'suspended'
}

/** Refusals found on the way are the answer; they changed nothing. */
async function attempt(life: Life, command: SubscriptionCommand): Promise<Refusal | null> {
  try {
    return await carryOut(life, command)
  } catch (error) {
    return toRefusal(error)
  }
}

async function carryOut(life: Life, command: SubscriptionCommand): Promise<Refusal | null> {
  switch (command.kind) {
    case 'cancel':
      return await cancel(life, command)
    case 'uncancel':
      return await uncancel(life, command)
    case 'changePlan':
      return await changePlan(life, command)
    case 'withdrawChange':
      return await withdrawChange(life, command)
    case 'pause':
      return await pause(life, command)
    case 'unpause':
      return await unpause(life, command)
    case 'stopLine':
      return await stopLine(life, command)
    case 'cancelLine':
    case 'uncancelLine':
    case 'delayLine':
    case 'deleteLine':
    case 'planSuccessor':
      return await actOnLine(life, command)
    case 'transfer':
      return await transfer(life, command)
    case 'setTerm':
      return await setTerm(life, command)
    case 'setRecurrence':
      return await setRecurrence(life, command)
    case 'suspend':
      return await suspend(life, command)
    case 'resume':
      return await resume(life, command)
    case 'restore':
      return await restore(life, command)
    case 'advanceTestClock':
      update(life, { testClockMs: Math.max(life.state.testClockMs ?? 0, command.nowMs) })
      return null
    case 'retryBuild':
      return null
  }
}

async function cancel(life: Life, command: CommandOf<'cancel'>): Promise<null> {
  if (!isAlive(life)) return null
  const agenda = await database.cancelSubscription.executeWithOptions(
    { summary: `cancel: ${command.when === 'date' ? command.endsOn : command.when}` },
    [{ ...keyOf(life, command), ...cancellationOf(command) }],
  )
  update(life, { agenda, isCancelled: true })
  return null
}

function cancellationOf({ when, endsOn, serviceEndsOn }: CommandOf<'cancel'>) {
  return {
    when,
    ...(endsOn === undefined ? {} : { endsOn }),
    ...(serviceEndsOn === undefined ? {} : { serviceEndsOn }),
  }
}

async function uncancel(life: Life, command: CommandOf<'uncancel'>): Promise<null> {
  const agenda = await database.uncancelSubscription.executeWithOptions(
    { summary: 'cancellation withdrawn' },
    [keyOf(life, command)],
  )
  update(life, { agenda, isCancelled: false })
  return null
}

/** A pause of today begins when the agenda is looked at, in this turn. */
async function pause(life: Life, command: CommandOf<'pause'>): Promise<null> {
  const { kind: _kind, requestId: _request, ...dates } = command
  const agenda = await database.pauseSubscription.executeWithOptions(
    { summary: `pause from ${command.startsOn ?? 'today'} until ${command.endsOn ?? 'it is resumed'}` },
    [{ ...keyOf(life, command), ...dates }],
  )
  update(life, { agenda })
  await pauseIfDue(life)
  return null
}

async function unpause(life: Life, command: CommandOf<'unpause'>): Promise<null> {
  const agenda = await database.unpauseSubscription.executeWithOptions({ summary: 'pause withdrawn' }, [
    keyOf(life, command),
  ])
  update(life, { agenda })
  return null
}

async function stopLine(life: Life, command: CommandOf<'stopLine'>): Promise<null> {
  const { kind: _kind, ...asked } = command
  const agenda = await database.stopLine.executeWithOptions({ summary: 'one line ends' }, [
    { ...keyOf(life, command), ...asked },
  ])
  update(life, { agenda })
  return null
}

const lineSummaries: Readonly<Record<LineCommand['kind'], string>> = {
  cancelLine: 'a line is withdrawn as if it had never begun',
  uncancelLine: 'a cancelled line is brought back',
  delayLine: 'a line begins later',
  deleteLine: 'a line is taken out',
  planSuccessor: 'a line is followed by another',
}

async function actOnLine(life: Life, command: CommandOf<LineCommand['kind']>): Promise<null> {
  const agenda = await database.actOnLine.executeWithOptions({ summary: lineSummaries[command.kind] }, [
    { ...command, ...keyOf(life, command) },
  ])
  update(life, { agenda })
  return null
}

/** What stays has to hold what is used; the limit is set when the other customer's begins, which may be now. */
async function transfer(life: Life, command: CommandOf<'transfer'>): Promise<Refusal | null> {
  const { kind: _kind, ...asked } = command
  const key = { ...keyOf(life, command), ...asked }
  const planned = await database.previewTransfer.executeWithOptions({ summary: 'what stays' }, [key])
  if (planned.instanceId !== null && planned.limitCode !== null && planned.keptQuantity !== '0') {
    const refusal = await changeLimit(life, {
      direction: 'downgrade',
      instanceId: planned.instanceId,
      code: planned.limitCode,
      quantity: planned.keptQuantity,
    })
    if (refusal) return refusal
  }
  const agenda = await database.transferLine.executeWithOptions(
    { summary: `handed over on ${planned.startsOn}, ${planned.keptQuantity} stay` },
    [key],
  )
  update(life, { agenda, isCancelled: agenda.endsAtMs !== null })
  await applySoldLimits(life)
  return null
}

async function setTerm(life: Life, command: CommandOf<'setTerm'>): Promise<null> {
  const agenda = await database.setTerm.executeWithOptions({ summary: 'a fixed term' }, [
    keyOf(life, command),
  ])
  update(life, { agenda })
  return null
}

async function setRecurrence(life: Life, command: CommandOf<'setRecurrence'>): Promise<null> {
  const { count, unit } = command.recurrence
  const agenda = await database.setRecurrence.executeWithOptions(
    { summary: `billed every ${count} ${unit}` },
    [{ ...keyOf(life, command), recurrence: command.recurrence }],
  )
  update(life, { agenda })
  return null
}

/** The closing reading comes before the stop: what was counted is lost with the container's network. */
async function suspend(life: Life, command: CommandOf<'suspend'>): Promise<Refusal | null> {
  if (life.state.phase === 'suspended') return await addReason(life, command)
  await takeReadings(life, 'closing reading', false)
  await stopInstances(life, 'stop, and see it stopped')
  await database.suspendSubscription.executeWithOptions({ summary: 'phase suspended' }, [
    { ...keyOf(life, command), ...codeOf(command) },
  ])
  update(life, { phase: 'suspended' })
  return null
}

/** Suspended already, it is for one reason more. Histories older than reasons refused that. */
async function addReason(life: Life, command: CommandOf<'suspend'>): Promise<Refusal | null> {
  if (!patched('suspensions')) return { code: 'action_not_allowed', detail: 'It is suspended already.' }
  const agenda = await database.suspendSubscription.executeWithOptions(
    { summary: 'suspended for one reason more' },
    [{ ...keyOf(life, command), ...codeOf(command) }],
  )
  update(life, { agenda })
  return null
}

function codeOf({ code }: CommandOf<'suspend' | 'resume'>) {
  return code === undefined ? {} : { code }
}

/**
 * Lifts a reason, and starts what was stopped once none is left; a pause in force ends with it. Its answer is the agenda, but for
 * histories older than pauses.
 */
async function resume(life: Life, command: CommandOf<'resume'>): Promise<Refusal | null> {
  if (patched('suspensions')) {
    const { left, agenda: standing } = await database.liftSuspension.executeWithOptions(
      { summary: 'what it is still suspended for' },
      [{ ...keyOf(life, command), ...codeOf(command) }],
    )
    if (left.length > 0) {
      update(life, { agenda: standing })
      return null
    }
  }
  const refusal = await startInstances(life)
  if (refusal) return refusal
  const agenda = (await database.resumeSubscription.executeWithOptions({ summary: 'phase active' }, [
    keyOf(life, command),
  ])) as Agenda | null | undefined
  update(life, { phase: 'active', ...(agenda ? { agenda } : {}) })
  return null
}

/**
 * Answers what needs no turn while something is built or taken down: who only tells the time, for nothing can be due then,
 * and who asks for what is not possible. A cancellation waits for its turn.
 */
export function answerMeanwhile(life: Life): void {
  for (const command of life.inbox.filter((asked) => asked.kind !== 'cancel')) {
    const refused = refuseCommand(standing(life), command.kind)
    if (command.kind === 'advanceTestClock')
      update(life, { testClockMs: Math.max(life.state.testClockMs ?? 0, command.nowMs) })
    else if (!refused) continue
    life.inbox.splice(life.inbox.indexOf(command), 1)
    answer(life, command.requestId, refused ? { code: refused.code, detail: refused.message } : null)
  }
}

/** Answers those who asked for the retry that begins; a cancellation that came with it is not theirs. */
export function answerRetries(life: Life): void {
  for (const command of life.inbox.filter((asked) => asked.kind === 'retryBuild')) {
    life.inbox.splice(life.inbox.indexOf(command), 1)
    answer(life, command.requestId, null)
  }
}
