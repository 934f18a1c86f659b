import { isReached } from '#domain/agenda.ts'
import { database } from './activities.ts'
import { changingRows, nowMs, update, type Life } from './subscription-life.ts'
import { readAgenda, startInstances, stopInstances, takeReadings } from './subscription-steps.ts'

const anHourMs = 3_600_000

/** Stops what runs on the first day of a pause. One that is suspended already stays as it is, and is not started after it. */
export async function pauseIfDue(life: Life): Promise<void> {
  if (!isReached(life.state.agenda.pauseAtMs, nowMs(life))) return
  // It may have passed while nothing ran, or be suspended by hand: the rows know what is still to be done.
  update(life, { agenda: await readAgenda(life) })
  if (life.state.phase !== 'active' || !isReached(life.state.agenda.pauseAtMs, nowMs(life))) return
  await takeReadings(life, 'closing reading', false)
  await stopInstances(life, 'stop for the pause, and see it stopped')
  await changingRows(life, async () => {
    const agenda = await database.beginPause.executeWithOptions({ summary: 'the pause begins' }, [
      keyOf(life),
    ])
    update(life, { phase: 'suspended', agenda })
  })
}

/** Starts it again when the pause is over. What does not get ready has a task, and is tried again every hour. */
export async function resumeIfDue(life: Life): Promise<void> {
  if (!isReached(life.state.agenda.resumeAtMs, nowMs(life))) return
  update(life, { agenda: await readAgenda(life) })
  if (life.state.phase !== 'suspended' || !isReached(life.state.agenda.resumeAtMs, nowMs(life))) return
  const refusal = await startInstances(life)
  if (refusal) {
    await database.openSubscriptionTask.executeWithOptions({ summary: 'it does not start after its pause' }, [
      { subscriptionId: life.subscriptionId, kind: 'resume_failed', ...refusal },
    ])
    update(life, { agenda: { ...life.state.agenda, resumeAtMs: nowMs(life) + anHourMs } })
    return
  }
  await changingRows(life, async () => {
    const agenda = await database.endPause.executeWithOptions({ summary: 'the pause is over' }, [keyOf(life)])
    update(life, { phase: 'active', agenda })
  })
}

export async function renewIfDue(life: Life): Promise<void> {
  if (!isReached(life.state.agenda.termAtMs, nowMs(life))) return
  const agenda = await database.renewTerm.executeWithOptions({ summary: 'the term is renewed' }, [
    keyOf(life),
  ])
  update(life, { agenda })
}

/** Told some days before, so that whoever does not want to go on can say so. */
export async function tellTrialIfDue(life: Life): Promise<void> {
  if (!isReached(life.state.agenda.trialNoticeAtMs, nowMs(life))) return
  const agenda = await database.tellTrialEnd.executeWithOptions({ summary: 'the end of the trial is told' }, [
    keyOf(life),
  ])
  update(life, { agenda })
}

function keyOf(life: Life) {
  return { subscriptionId: life.subscriptionId, nowMs: nowMs(life) }
}
