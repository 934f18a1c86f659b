import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let clock: string
let givers: string
let takers: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const linesOf = async (subscription: string): Promise<Json[]> =>
  (await diary.subscription(subscription))['lines'] as Json[]

/** `recurring 2026-05-01/2026-06-01 500`, of every invoice. */
async function billed(subscription: string): Promise<string[]> {
  return (await diary.invoices(subscription)).flatMap((invoice) =>
    (invoice['lines'] as Json[]).map((line) => {
      const { start, end } = line['service_period'] as { start: string; end: string }
      const { amount_minor: minor } = line['amount'] as { amount_minor: number }
      return `${String(line['kind'])} ${start}/${end} ${minor}`
    }),
  )
}

const limitsOf = async (subscription: string): Promise<unknown> => {
  const { instances } = (await diary.subscription(subscription)) as { instances: Json[] }
  return instances.flatMap((instance) =>
    (instance['limits'] as Json[]).map((limit) => limit['in_force_quantity']),
  )
}

chapter('1 April: ten users are sold and built', async () => {
  await diary.post('/v1/customers', { code: 'taker', name: 'Taker', currency: 'USD', time_zone: 'UTC' }, 201)
  clock = await diary.createClock('2026-04-01T09:00:00Z')
  givers = await diary.order([{ product: 'odoo-user', quantity: 10 }], { clock })
  await diary.untilPhase(givers, 'active')
  assert.deepEqual(await limitsOf(givers), ['10'])
})

chapter('20 April: four of them are handed over from 1 May, and built for the other customer', async () => {
  await diary.advance(clock, { to: '2026-04-20T09:00:00Z' })
  const [line] = await linesOf(givers)
  await diary.post(`/v1/subscriptions/${givers}/transfer`, {
    line: line?.['id'],
    customer: 'taker',
    quantity: '4',
    starts_on: '2026-05-01',
  })
  takers = await until('the taker has a subscription', async () => {
    const [first] = await diary.list('/v1/subscriptions?customer=taker')
    return first && String(first['id'])
  })
  await diary.untilPhase(takers, 'active')
  assert.deepEqual(
    (await linesOf(takers)).map((taken) => [
      taken['quantity'],
      taken['transferred_from'],
      taken['starts_on'],
    ]),
    [['4', line?.['id'], '2026-05-01']],
  )
})

chapter('1 May: each pays his own, and each instance holds its own limit', async () => {
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  assert.deepEqual(await billed(givers), [
    'recurring 2026-04-01/2026-05-01 1000',
    'recurring 2026-05-01/2026-06-01 600',
  ])
  assert.deepEqual(await billed(takers), ['recurring 2026-05-01/2026-06-01 400'])
  assert.deepEqual([await limitsOf(givers), await limitsOf(takers)], [['6'], ['4']])
})
