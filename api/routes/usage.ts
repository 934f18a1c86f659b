import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { listMeteredLines, listUsageWindows, type MeteredLineRow } from '#db/read/usage.ts'
import { readPresentCost } from '#db/present-usage.ts'
import { getSubscription } from '#db/subscription.ts'
import { measureUsage } from '#db/usage.ts'
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
  return {
    subscription: encodeId('subscription', subscriptionId),
    lines: await Promise.all(
      lines.map(async (line) => ({
        line: encodeId('subscriptionLine', line.id),
        product: line.product_code,
        metric: line.metric ?? '',
        current: await measureCurrent(db, { ...line, subscriptionId, now }),
        present: present.get(line.id) ?? null,
        windows: windows.filter((window) => window.subscription_line_id === line.id).map(toWindowJson),
      })),
    ),
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

/** What would be billed today of the line's own days. */
async function measureCurrent(db: Db, line: MeteredLineRow & { subscriptionId: string; now: string }) {
  const span = openWindow(toDays(line), line.clock_now_at ?? line.now)
  if (span === null || line.metric === null || line.phase === 'ended') return null
  const measured = await measureUsage(db, {
    subscriptionId: line.subscriptionId,
    instanceId: line.instance_id,
    metric: line.metric,
    usageFilter: line.usage_filter ?? [],
    unit: line.unit,
    window: span,
    isLast: false,
  })
  return toCurrentJson(span, measured)
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
