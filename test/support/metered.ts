import { sql } from 'kysely'
import { insertReadings } from '#db/usage.ts'
import { findInstanceId, moveInstances } from './instances.ts'
import { listDocumentIds } from './invoices.ts'
import type { Seller } from './seller.ts'

const bytesPerGib = 2 ** 30

/** Config 1 with its instance running, from an instant on, by a clock of its own: network is a counter, disk a gauge. */
export async function sellMetered(seller: Seller, now = '2026-01-01T00:00:00Z') {
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId, now })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const instanceId = await findInstanceId(seller.db, subscriptionId)
  await moveInstances(seller.db, subscriptionId, 'building', 'running')
  /** Network, and no disk, in GiB; of as many readings as were stored. */
  const read = async (readAt: string, network: string, isOpening = false) =>
    await insertReadings(seller.db, { instanceId, isOpening, readAt, sampledAt: readAt }, [
      { metric: 'network', series: 'eth0', value: String(Number(network) * bytesPerGib), unit: 'B' },
      { metric: 'disk', series: 'data', value: '0', unit: 'B' },
    ])
  return { subscriptionId, documentId, instanceId, testClockId, read }
}

/** Config 1 from 1 March 2026 on, by a clock of its own, whose network costs this. */
export async function sellNetworkAt(seller: Seller, price: object) {
  const now = '2026-03-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId, now })
  await seller.db
    .updateTable('subscription_lines')
    .set({ price: JSON.stringify(price) })
    .where('subscription_id', '=', subscriptionId)
    .where('metric', '=', 'network')
    .execute()
  return { subscriptionId, testClockId }
}

/** Another value, in the unit of its series, of what was read: by whoever may write to the database. */
export async function correctReadings(
  { db }: Seller,
  of: { readonly instanceId: string; readonly metric?: string; readonly readAt?: string },
  value: string,
): Promise<void> {
  await sql`
    update reading_values set value = ${value} from reading_series series
    where series.id = series_id and series.instance_id = ${of.instanceId}
      and series.metric = coalesce(${of.metric ?? null}, series.metric) and read_at = coalesce(${of.readAt ?? null}::timestamptz, read_at)`.execute(
    db,
  )
}

/** Lines of network usage, in the order in which they were billed: kind, period, quantity, amount. */
export async function networkLines(seller: Seller, subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('invoice_lines')
    .select(['kind', 'quantity', 'amount_minor', 'explanation'])
    .select(sql<string>`service_period::text`.as('service_period'))
    .where('subscription_id', '=', subscriptionId)
    .where('description', '=', 'Network Usage')
    .where('kind', 'in', ['usage', 'late_usage'])
    .orderBy('id')
    .execute()
  return rows.map(({ kind, service_period: period, quantity, amount_minor: amountMinor, explanation }) => {
    const pending = explanation.usage?.isPending ? ' pending' : ''
    return `${kind} ${period} ${Number(quantity)} for ${amountMinor}${pending}`
  })
}
