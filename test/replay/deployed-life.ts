import type { Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import type { Save } from './limit-lives.ts'

const keyScopes = [
  'orders:read',
  'orders:write',
  'orders:bill_elsewhere',
  'subscriptions:read',
  'subscriptions:write',
  'subscriptions:cancel_now',
  'usage:read',
]

/** Sold here and deployed in a second installation: placed, suspended, resumed and ended there, and looked at meanwhile. */
export async function deployedLife(installation: TestInstallation, diary: Diary, save: Save): Promise<void> {
  const yard = await startInstallation({ isServed: true })
  try {
    await deployedIn(yard, { installation, diary, save })
  } finally {
    await yard.stop()
  }
}

async function deployedIn(
  yard: TestInstallation,
  { installation, diary, save }: { installation: TestInstallation; diary: Diary; save: Save },
): Promise<void> {
  const month = { recurrence: { count: 1, unit: 'month' }, unit: 'month', currency: 'USD', base_price: '3' }
  const sold = { code: 'hosted', name: 'Hosted', billing_type: 'flat', billing_timing: 'advance' }
  await diary.post('/v1/products', { ...sold, ...month }, 201)
  const key = await yard.keyWith(keyScopes)
  const given = { code: 'yard', url: yard.publicUrl, customer: 'north-clinic', key }
  const deployer = await diary.post('/v1/deployers', given, 201)
  await diary.post('/v1/deployers/yard/products', { product: 'hosted', product_there: 'static-site' })
  const order = { customer: 'harbour-bakery', lines: [{ product: 'hosted' }] }
  const placed = await diary.post('/v1/orders', order, 201)
  const subscription = String((placed['subscriptions'] as Json[])[0]?.['id'])
  const untilPhase = async (phase: string) =>
    await until(`it is ${phase}`, async () => {
      await Promise.all([installation.relay(), yard.relay()])
      return (await diary.subscription(subscription))['phase'] === phase
    })
  await untilPhase('active')
  await diary.post('/v1/deployers/yard/look', {})
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'recorded' })
  await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'recorded' })
  await untilPhase('ended')
  await installation.client.workflow.getHandle(`subscription/${subscription}`).result()
  await save('subscription-deployed-elsewhere', `subscription/${subscription}`)
  await save('deployer', `deployer/${String(deployer['id'])}`)
}
