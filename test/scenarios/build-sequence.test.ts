import assert from 'node:assert/strict'
import test from 'node:test'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { createDiary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json } from '#test/support/installation.ts'
import { saveOwnApplication } from '#test/support/sold-application.ts'

const parts = [
  ['application', 30],
  ['database', 10],
  ['files', 20],
] as const

test('a database at 10, files at 20 and an application at 30 are built in this order, and removed in reverse', async (t) => {
  const runner = createDryRunRunner()
  const installation = await startInstallation({ wrapRunner: () => runner })
  t.after(async () => await installation.stop())
  const diary = createDiary(installation)
  const product = {
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '5.00',
    currency: 'USD',
  }
  for (const [code] of parts) {
    const compose = `services: { main: { image: "${code}:1" } }\nx-clouder: { title: ${code} }\n`
    await saveOwnApplication(installation.db, { code, compose })
    await diary.post('/v1/products', { ...product, code, name: code, applications: [code] }, 201)
  }
  const billOfMaterials = parts.map(([code, sequence]) => ({ product: code, quantity: '1', sequence }))
  await diary.post('/v1/kits', { code: 'whole', name: 'Whole', bill_of_materials: billOfMaterials }, 201)

  const order = await diary.post(
    '/v1/orders',
    { customer: 'harbour-bakery', lines: [{ kit: 'whole', quantity: '5' }] },
    201,
  )
  const sold = (order['subscriptions'] as Json[]).map(({ id }) => String(id))
  for (const id of sold) await diary.untilPhase(id, 'active')
  for (const id of sold) {
    await diary.post(`/v1/subscriptions/${id}/cancel`, { when: 'now', reason: 'over' })
    await diary.untilPhase(id, 'ended')
  }
  const calls = runner.calls().map((call) => call.split(' '))
  const own = (
    await installation.db.selectFrom('instances').select(['name', 'subscription_id']).execute()
  ).map((row) => ({ ...row, part: row.name.replace(/-[^-]*$/, '') }))
  for (const id of new Set(own.map((row) => row.subscription_id))) {
    const partOf = (name: string): string | undefined =>
      own.find((row) => row.subscription_id === id && name.includes(`_${row.name}_`))?.part
    const walked = (verb: string): (string | undefined)[] =>
      calls.flatMap(([did, kind, name = '']) =>
        did === verb && kind === 'container' && partOf(name) !== undefined ? [partOf(name)] : [],
      )
    assert.deepEqual(walked('ensure'), ['database', 'files', 'application'])
    assert.deepEqual(walked('remove'), ['application', 'files', 'database'])
  }
})
