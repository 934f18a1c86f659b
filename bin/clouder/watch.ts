import { setTimeout as sleep } from 'node:timers/promises'
import type { Build, BuildDetail, BuildStep, SubscriptionDetail } from './answers.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { CommandFailure } from './failure.ts'
import { secondsText } from './format.ts'
import type { Session } from './session.ts'
import { createWaiting, type Waiting } from './waiting.ts'

export interface WatchTarget {
  readonly subscriptionId: string
  readonly kind: 'build' | 'unbuild'
  /** Left out: the newest of the kind. */
  readonly buildId?: string
}

export interface Watched {
  readonly subscription: SubscriptionDetail
  /** Null for what is sold without an application. */
  readonly build: BuildDetail | null
  readonly code: ExitCode
}

const lookAgainMs = 300
const outageMs = 30_000
const marks: Readonly<Record<string, string>> = { done: '✓', failed: '✗', undone: '↩' }

/** Prints each step once it has ended, with its seconds, until nothing more happens without a person. */
export async function watchBuild(
  session: Session,
  target: WatchTarget,
  stopped: AbortSignal,
): Promise<Watched> {
  const waiting = createWaiting(session.out)
  const told = new Map<string, string>()
  let answeredAtMs = Date.now()
  for (;;) {
    stopped.throwIfAborted()
    const look = await readOnce(session, target).catch((error: unknown) => {
      if (!isOutage(error) || Date.now() - answeredAtMs > outageMs) throw error
      return undefined
    })
    if (look === undefined) waiting.waitFor('Clouder to answer again')
    else {
      answeredAtMs = Date.now()
      tellSteps(waiting, look.build, told)
      if (isSettled(look, target)) {
        waiting.end()
        return { ...look, code: codeOf(look, target) }
      }
      waiting.waitFor(waitedFor(look, target))
    }
    await sleep(lookAgainMs, undefined, { signal: stopped })
  }
}

/** The next thing to do for somebody who has seen the end. */
export function tellEnd({ out }: Session, { subscription, build }: Watched): void {
  const address = subscription.instances.find((instance) => instance.address !== null)?.address
  const state = subscription.parked_reason === null ? subscription.phase : `${subscription.phase}, parked`
  out.facts([
    ['subscription', subscription.id],
    ['phase', state],
    ...(build === null ? [] : [['build', `${build.id} ${build.state}`] as const]),
    ...(address == null || subscription.phase !== 'active' ? [] : [['address', address] as const]),
    ['Temporal', subscription.workflow.url],
  ])
  if (subscription.parked_reason === null)
    return out.say(`\n  Next  npx clouder subscriptions show ${subscription.id}`)
  out.say(`\n  ${subscription.parked_reason}`)
  out.say(`  Next  npx clouder tasks${build === null ? '' : `   then: npx clouder builds retry ${build.id}`}`)
}

export function newestBuild(builds: readonly Build[], kind: Build['kind']): Build | undefined {
  return builds.filter((build) => build.kind === kind).sort((a, b) => b.number - a.number)[0]
}

type Look = Omit<Watched, 'code'>

async function readOnce({ api }: Session, target: WatchTarget): Promise<Look> {
  const subscription = await api.get<SubscriptionDetail>(`/v1/subscriptions/${target.subscriptionId}`)
  const id = target.buildId ?? newestBuild(subscription.builds, target.kind)?.id
  return { subscription, build: id === undefined ? null : await api.get<BuildDetail>(`/v1/builds/${id}`) }
}

function isOutage(error: unknown): boolean {
  return error instanceof CommandFailure && error.facts.exitCode === exitCodes.unreachable
}

function tellSteps(waiting: Waiting, build: BuildDetail | null, told: Map<string, string>): void {
  for (const step of build?.steps ?? []) {
    if (told.get(step.id) === step.state || marks[step.state] === undefined) continue
    told.set(step.id, step.state)
    waiting.line(describeStep(step))
  }
}

function describeStep(step: BuildStep): string {
  const seconds = secondsText(step.started_at, step.finished_at, Date.now()).padStart(8)
  const why = step.failure === null ? '' : `: ${step.failure.detail}`
  const outcome = step.state === 'done' ? '' : `   ${step.state}${why}`
  return `  ${marks[step.state] ?? ' '} ${step.title.padEnd(60)} ${seconds}${outcome}`
}

/** An older build has its end already; the newest ends when its subscription has come to rest. */
function isSettled({ subscription, build }: Look, { kind }: WatchTarget): boolean {
  if (build !== null && build.id !== newestBuild(subscription.builds, kind)?.id) return true
  if (subscription.parked_reason !== null) return true
  if (kind === 'unbuild') return subscription.phase === 'ended'
  if (subscription.phase === 'ordered' || subscription.phase === 'building') return false
  return build === null || !['planned', 'running'].includes(build.state)
}

function codeOf({ subscription, build }: Look, { buildId }: WatchTarget): ExitCode {
  const isGood = build === null || build.state === 'done'
  const isParked = subscription.parked_reason !== null && buildId === undefined
  return isGood && !isParked ? exitCodes.ok : exitCodes.warnings
}

function waitedFor({ subscription, build }: Look, { kind }: WatchTarget): string {
  const running = build?.steps.find((step) => step.state === 'running')
  if (running !== undefined) return [running.title, running.progress].filter(Boolean).join(': ')
  const { queue } = subscription
  const place = queue === null ? subscription.phase : `queued on ${queue.server}, ${queue.ahead} ahead`
  if (build === null || build.state === 'planned') return `the ${kind} to begin (${place})`
  return `the subscription to settle (${subscription.phase}, ${build.kind} ${build.state})`
}
