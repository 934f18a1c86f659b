import { BusinessError } from './errors.ts'
import { targetOf, refuseOutbound, refusePort, type OutboundRule } from './outbound-address.ts'
import { isLoopbackUrl } from './peer.ts'

/** How long events are delivered again for, and what was delivered is kept. */
export const webhookKeptDays = 30
/** How long the secret before goes on signing beside the next. */
export const secretOverlapMs = 24 * 3_600_000

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Waits after the first, second, … failure; the last one again and again. As the Standard Webhooks propose. */
const waitsMs = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
]
/** Who does not answer is asked as often as this whether it is back. */
const longestRestMs = 15 * minuteMs
/** A delivery is given up, and a webhook disabled, when nothing else has come of it for as long. */
const longestFailureMs = 5 * dayMs

/**
 * What an attempt came to. `away`: nobody answers, or somebody before the receiver says that it is not there: that is so for whatever is
 * sent. `refused`: the receiver does not take this one; another it may. `gone`: it wants nothing any more.
 */
export type Outcome = 'delivered' | 'gone' | 'away' | 'refused'

/** @param status of the answer; null for none. What leads elsewhere is not followed, and refused. */
export function judgeStatus(status: number | null): Outcome {
  if (status === null) return 'away'
  if (status >= 200 && status < 300) return 'delivered'
  if (status === 410) return 'gone'
  return [429, 502, 503, 504].includes(status) ? 'away' : 'refused'
}

export interface Attempt {
  readonly status: number | null
  /** How long the receiver wants to be left alone; undefined where it has not said so. */
  readonly retryAfterMs?: number | undefined
}

/** How far a delivery is that waits. */
export interface DeliveryStanding {
  readonly failures: number
  readonly firstFailedAt: string | null
}

export type DeliveryDecision =
  | { readonly state: 'delivered' }
  | { readonly state: 'given_up'; readonly failures: number; readonly firstFailedAt: string }
  | {
      readonly state: 'waiting'
      readonly failures: number
      readonly firstFailedAt: string
      readonly dueAt: string
    }

/**
 * What becomes of a delivery after an attempt. The last one is made five days after the first that failed; given up is what fails then.
 * @example decideDelivery({ failures: 1, firstFailedAt: '2026-03-01T00:00:00Z' }, { status: 500 }, '2026-03-01T00:00:05Z')
 * // waiting, with 2 failures, due at 2026-03-01T00:05:05.000Z
 */
export function decideDelivery(
  standing: DeliveryStanding,
  { status, retryAfterMs = 0 }: Attempt,
  now: string,
): DeliveryDecision {
  const outcome = judgeStatus(status)
  if (outcome === 'delivered') return { state: 'delivered' }
  const failures = standing.failures + 1
  const firstFailedAt = standing.firstFailedAt ?? now
  const lastMs = Date.parse(firstFailedAt) + longestFailureMs
  if (Date.parse(now) >= lastMs) return { state: 'given_up', failures, firstFailedAt }
  const waitMs = outcome === 'away' ? restMs(failures) : waitMsAfter(failures)
  const dueMs = Math.min(Date.parse(now) + Math.max(waitMs, retryAfterMs), lastMs)
  return { state: 'waiting', failures, firstFailedAt, dueAt: new Date(dueMs).toISOString() }
}

function waitMsAfter(failures: number): number {
  return waitsMs[Math.min(failures, waitsMs.length) - 1] ?? 0
}

function restMs(times: number): number {
  return Math.min(waitMsAfter(times), longestRestMs)
}

/** How a webhook fares. */
export interface WebhookStanding {
  /** Since the first failure after the last that was delivered. */
  readonly failingSince: string | null
  /** How many times in a row it was left alone. */
  readonly rests: number
}

export interface WebhookDecision extends WebhookStanding {
  readonly restsUntil: string | null
  /** Null where it stays enabled. */
  readonly disabledReason: string | null
}

/**
 * What becomes of a webhook after attempts that were made at once. One that is away is left alone for a while, whatever waits: nothing is
 * asked of it but, each time, one delivery. One that refuses some and takes others is never left alone. Disabled is who says 410 Gone, and
 * who has taken nothing for five days.
 */
export function decideWebhook(
  standing: WebhookStanding,
  attempts: readonly Attempt[],
  now: string,
): WebhookDecision {
  const outcomes = attempts.map(({ status }) => judgeStatus(status))
  const hasTaken = outcomes.includes('delivered')
  const isAway = outcomes.includes('away')
  const failingSince = hasTaken ? null : (standing.failingSince ?? now)
  const rests = isAway ? (hasTaken ? 0 : standing.rests) + 1 : 0
  const asked = attempts.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  const waitMs = asked.length > 0 ? Math.max(secondMs, ...asked) : restMs(rests)
  const restsUntil = isAway ? new Date(Date.parse(now) + waitMs).toISOString() : null
  const isLost = failingSince !== null && Date.parse(now) - Date.parse(failingSince) >= longestFailureMs
  const disabledReason = outcomes.includes('gone')
    ? 'It answered 410 Gone: it wants nothing any more.'
    : isLost
      ? `It has taken nothing since ${failingSince}, for five days.`
      : null
  return { failingSince, rests, restsUntil, disabledReason }
}

/** To which addresses events are posted, where an installation is reached at `publicUrl`. */
export function webhookRule(of: {
  readonly publicUrl: string
  readonly webhookRanges?: readonly string[] | undefined
  readonly webhookPorts?: readonly number[] | undefined
}): OutboundRule {
  return {
    isOnLoopback: isLoopbackUrl(of.publicUrl),
    allowed: of.webhookRanges ?? [],
    ports: of.webhookPorts ?? [],
    portSetting: 'CLOUDER_WEBHOOK_PORTS',
  }
}

/**
 * Where events may be posted to: by https, without TLS on the loopback of one machine only; an address has to be one that is spoken to. What
 * a name stands for is looked at each time something is sent.
 * @returns the address as it is called
 * @throws `webhook_url_refused`
 */
export function checkWebhookUrl(text: string, rule: OutboundRule): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '')
    throw refusedUrl(`${text} is no address to post to, such as https://hooks.example.com/clouder.`)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackUrl(text)))
    throw refusedUrl(`${text} has no TLS. Events are posted by https only, but on the loopback.`)
  try {
    checkHost(url, rule)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    throw refusedUrl(error.message)
  }
  return url.href
}

function checkHost(url: URL, rule: OutboundRule): void {
  const { host, port, isAddress } = targetOf(url)
  // Names of the loopback are its addresses, whoever looks them up.
  if (/(^|\.)localhost\.?$/.test(host)) refuseOutbound('127.0.0.1', rule, port)
  else if (isAddress) refuseOutbound(host, rule, port)
  else refusePort(host, rule, port)
}

function refusedUrl(detail: string): BusinessError {
  return new BusinessError('webhook_url_refused', detail)
}
