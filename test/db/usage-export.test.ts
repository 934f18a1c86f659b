import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import Big from 'big.js'
import { sql } from 'kysely'
import { inVain } from '#db/in-vain.ts'
import {
  readExportedWindows,
  readUse,
  readWindowUse,
  type ExportedUse,
  type ExportedWindow,
} from '#db/read/usage-export.ts'
import { findUsageWindow } from '#db/read/usage-window.ts'
import { networkLines, sellMetered } from '#test/support/metered.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

// What a customer takes along (D-47). Network costs 1.00 a GiB. After January was billed there come an event of it, and a reading
// that shows a restart: 100 more were used than it seemed.
let seller: Seller
let subscriptionId = ''
before(async () => {
  seller = await createSeller()
  const sold = await sellMetered(seller)
  subscriptionId = sold.subscriptionId
  const push = async (quantity: string, occurredAt: string) =>
    await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity, occurredAt })
  await sold.read('2026-01-20T00:00:00Z', '100')
  await push('0.5', '2026-01-21T00:00:00Z')
  await sold.read('2026-02-01T00:00:00Z', '160')
  await billDue(seller.db, sold.documentId, '2026-02-01T00:02:00Z')
  await sold.read('2026-01-25T00:00:00Z', '20')
  await push('0.25', '2026-01-26T00:00:00Z')
  await sold.read('2026-03-01T00:00:00Z', '161.125')
  await billDue(seller.db, sold.documentId, '2026-03-01T00:02:00Z')
})
after(async () => seller.drop())

const span = (from: string | null = null, until: string | null = null) => ({ subscriptionId, from, until })

async function windows(of = span()): Promise<ExportedWindow[]> {
  return (await Array.fromAsync(readExportedWindows(seller.db, of))).flat()
}

async function use(of = span()): Promise<ExportedUse[]> {
  return (await Array.fromAsync(readUse(seller.db, of))).flat()
}

function sum(quantities: readonly (string | null)[]): string {
  return quantities.reduce((total, one) => total.plus(one ?? 0), new Big(0)).toFixed()
}

const isNetwork = ({ metric }: { metric: string }) => metric === 'network'

test('D-47 the windows sum up to what was billed, late usage included', async () => {
  const billed = await networkLines(seller, subscriptionId)
  assert.deepEqual(billed.length, 3, billed.join('\n'))
  const rows = (await windows()).filter(isNetwork)
  assert.deepEqual(
    rows
      .map((row) => `${row.is_late ? 'late ' : ''}${row.first_on} ${new Big(row.quantity).toFixed()}`)
      .toSorted(),
    billed
      .map((line) => {
        const [, kind, from = '', quantity] = /^(\w+) \[([\d-]+),\S+ (\S+) for/.exec(line) ?? []
        return `${kind === 'late_usage' ? 'late ' : ''}${from} ${quantity}`
      })
      .toSorted(),
  )
  const amounts = sum(rows.map((row) => String(row.amount_minor)))
  assert.equal(amounts, sum(billed.map((line) => / for (-?\d+)/.exec(line)?.[1] ?? '')))
  assert.equal(sum(rows.map((row) => row.billed_quantity)), sum(rows.map((row) => row.quantity)))
})

test('D-47 what readings and events counted sums up to what was billed: each once, late ones too', async () => {
  const rows = (await use()).filter(({ window }) => isNetwork(window))
  assert.equal(
    sum(rows.map(({ counted }) => counted)),
    sum((await windows()).filter(isNetwork).map((row) => row.quantity)),
  )
  assert.deepEqual(rows.map(({ kind, counted, unit }) => `${kind} ${counted}, of ${unit}`).toSorted(), [
    'event 0.25, of GiB',
    'event 0.5, of GiB',
    'reading 1.125, of B',
    'reading 100, of B',
    'reading 140, of B',
    'reading 20, of B',
  ])
})

test('each row says how the quantity of its window comes of it: what is not a sum adds up to nothing', async () => {
  const saidOf = (rows: readonly ExportedUse[]) =>
    new Set(rows.filter(({ window }) => isNetwork(window)).map(({ window }) => window.quantity_is))
  assert.deepEqual(saidOf(await use()), new Set(['sum']))
  await inVain(seller.db, async (tx) => {
    const terms = JSON.stringify({ quantityFormula: '2 * metric("network").sum' })
    await sql`update subscription_lines set terms = terms || ${terms}::jsonb`.execute(tx)
    const rows = (await Array.fromAsync(readUse(tx, span()))).flat()
    assert.deepEqual(saidOf(rows), new Set(['formula: 2 * metric("network").sum']))
  })
})

test('a gauge has its values and nothing to add up', async () => {
  const disk = (await use()).filter(({ window }) => window.metric === 'disk')
  assert.deepEqual(new Set(disk.map(({ counted }) => counted)), new Set([null]))
  assert.deepEqual(new Set(disk.map(({ window }) => window.quantity_is)), new Set(['max']))
  assert.equal(disk.length, 4)
})

test('of a span there is what is billed for days that begin in it; of one window what it opens into', async () => {
  const february = await windows(span('2026-02-01', '2026-03-01'))
  assert.deepEqual(february.map(({ metric }) => metric).toSorted(), ['disk', 'network'])
  assert.equal(sum((await use(span('2026-02-01'))).map(({ counted }) => counted)), '1.125')
  assert.deepEqual(await windows(span('2026-03-01')), [])
  const [first] = (await windows()).filter(isNetwork)
  const window = await findUsageWindow(seller.db, first?.id ?? '')
  assert.ok(window)
  const alone = (await Array.fromAsync(readWindowUse(seller.db, window))).flat()
  assert.deepEqual(new Set(alone.map((of) => of.window.id)), new Set([first?.id]))
})
