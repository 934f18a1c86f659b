import { proxyActivities } from '@temporalio/workflow'
import type { StepTicket } from '#activities/build.ts'
import type { DatabaseActivities, ServerActivities } from '#activities/index.ts'
import { taskQueues } from './contract.ts'

/** Every activity says each second that its worker lives: one that was killed is noticed, and its work begun again, after this. */
export const heartbeatTimeout = '10 s'

/** Rows and Temporal: short, and retried until they succeed. Refusals are not retried. */
export const database = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '60 s',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 m' },
})

/** Telling a subscription the time waits for what it does then. */
export const patientDatabase = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '10 m',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
})

/**
 * What another installation is asked. That it does not answer, or is not so far yet, is tried again for as long as it takes. Told to
 * end, an attempt is waited for: what it ordered must be found.
 */
export const there = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '10 m',
  heartbeatTimeout,
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
})

/** Work beside one server's engine. A lost host parks its work, because its queue is polled by nobody else. */
export function onServer(serverId: string) {
  return proxyActivities<ServerActivities>({ ...besideEngine(serverId), startToCloseTimeout: '30 m' })
}

/** The same for volumes of any size. That it goes on is seen by its beat, each second. */
export function onServerForLong(serverId: string) {
  return proxyActivities<ServerActivities>({ ...besideEngine(serverId), startToCloseTimeout: '24 h' })
}

/** How long an attempt of a step may take. Pulls end long before when nothing moves; ready checks and waits have their own limit. */
const stepDeadlines: Readonly<Record<StepTicket['kind'], `${number} ${'m' | 'h'}`>> = {
  network: '5 m',
  volume: '5 m',
  link: '5 m',
  image: '60 m',
  container: '90 m',
  ready: '90 m',
  peer: '30 m',
  restore: '24 h',
  backup: '24 h',
}

/** The same for a step of a build. */
export function onServerForStep(serverId: string, kind: StepTicket['kind']) {
  return proxyActivities<ServerActivities>({
    ...besideEngine(serverId),
    startToCloseTimeout: stepDeadlines[kind],
  })
}

/** The same for what somebody waits for: after a minute the answer is that it could not be done. */
export function onServerAtOnce(serverId: string) {
  return proxyActivities<ServerActivities>({ ...besideEngine(serverId), scheduleToCloseTimeout: '60 s' })
}

/** The same for what is sold and has to hold: it is tried until so long has passed, then a person is told. */
export function onServerWithin(serverId: string, withinMs: number) {
  const beside = besideEngine(serverId)
  return proxyActivities<ServerActivities>({
    ...beside,
    scheduleToCloseTimeout: withinMs,
    retry: { ...beside.retry, maximumInterval: '5 s' },
  })
}

/** The same for what somebody asked for and may have turned away from: a server that is away is waited for a while, not for days. */
export function onServerInTime(serverId: string) {
  return proxyActivities<ServerActivities>({ ...besideEngine(serverId), scheduleToCloseTimeout: '15 m' })
}

function besideEngine(serverId: string) {
  return {
    taskQueue: taskQueues.server(serverId),
    heartbeatTimeout,
    retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
    // What is told to end is waited for: whoever undoes it next must find all that it made.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  } as const
}
