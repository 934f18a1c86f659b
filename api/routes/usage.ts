import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { listMeteredLines, listUsageWindows, type MeteredLineRow } from '#db/read/usage.ts'
import { readPresentCost } from '#db/present-usage.ts'
import { getSubscription } from '#db/subscription.ts'
import { measureUsages } from '#db/usage-measure.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { openWindow, type MeteredDays } from '#domain/open-window.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { toCurrentJson, toPresentJson, toWindowJson, usageSchema } from '../schemas/usage.ts'

export function registerUsage(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/usage',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'Read what a subscription has used: not billed yet, and billed',
      params: idParams,
      result: usageSchema,
    },
    async ({ db, params, now }) => readUsage(db, await resolveAddress(db, 'subscription', params.id), now),
  )
}

async function readUsage(db: Db, subscriptionId: string, now: string): Promise<z.input<typeof usageSchema>> {
  const [lines, windows, present] = await Promise.all([
    listMeteredLines(db, subscriptionId),
    listUsageWindows(db, subscriptionId),
    readPresent(db, subscriptionId, now),
  ])
  const current = await measureCurrent(db, lines, { subscriptionId, now })
  return {
    subscription: encodeId('subscription', subscriptionId),
    lines: lines.map((line) => ({
      line: encodeId('subscriptionLine', line.id),
      product: line.product_code,
      metric: line.metric ?? '',
      current: current.get(line.id) ?? null,
      present: present.get(line.id) ?? null,
      windows: windows.filter((window) => window.subscription_line_id === line.id).map(toWindowJson),
    })),
  }
}

/** By line. What cannot be priced at the moment has no present cost; what it has used is shown all the same. */
async function readPresent(db: Db, subscriptionId: string, now: string) {
  const { currency, test_clock_now_at: clockNow } = await getSubscription(db, subscriptionId)
  try {
    const { lines } = await readPresentCost(db, subscriptionId, clockNow ?? now)
    return new Map(lines.map((line) => [line.lineId, toPresentJson(line, currency)]))
  } catch (error) {
    if (error instanceof BusinessError) return new Map<string, never>()
    throw error
  }
}

/** By line, what would be billed today of its own days. */
async function measureCurrent(
  db: Db,
  lines: readonly MeteredLineRow[],
  { subscriptionId, now }: { subscriptionId: string; now: string },
) {
  const open = lines.flatMap((line) => {
    const window = openWindow(toDays(line), line.clock_now_at ?? now)
    if (window === null || line.metric === null || line.phase === 'ended') return []
    const { id, instance_id: instanceId, metric, unit } = line
    const usageFilter = line.usage_filter ?? []
    const whose = { subscriptionId, lineId: id, instanceId }
    return { id, question: { ...whose, metric, usageFilter, unit, window, isLast: false } }
  })
  const answers = await measureUsages(
    db,
    open.map(({ question }) => question),
  )
  return new Map(
    answers.flatMap(({ usage }, index) => {
      const of = open[index]
      return of === undefined ? [] : [[of.id, toCurrentJson(of.question.window, usage)] as const]
    }),
  )
}

function toDays(line: MeteredLineRow): MeteredDays {
  return {
    billedUntil: line.frozen_until,
    activatedAt: line.activated_at,
    startsOn: line.starts_on,
    endsOn: line.ends_on,
    subscriptionEndsOn: line.subscription_ends_on,
    timeZone: line.time_zone,
  }
}
