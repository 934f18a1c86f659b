import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { createTaxIdCheckActivities, createViesCheck } from '#activities/tax-id-check.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { startFakeTaxRegister } from '#test/support/fake-tax-register.ts'
import { installationKey } from '#test/support/workers.ts'

// A seller in Germany and a business in France, whose tax id is looked up in a register of ours.

let api: TestApi
let register: Awaited<ReturnType<typeof startFakeTaxRegister>>
before(async () => {
  api = await createTestApi()
  register = await startFakeTaxRegister()
  await seedCatalog(api)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE123456789' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
  const paris = { code: 'paris', name: 'Paris', country: 'FR', is_business: true, address: 'Quai 1' }
  const made = await api.post('/v1/customers', { ...paris, tax_id: 'FR 40303265045' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
})
after(async () => {
  await api.close()
  await register.close()
})

async function checkTaxIds() {
  const { db, temporal } = api
  const deps = {
    db,
    client: temporal.client,
    installationKey,
    consoleUrl: '',
    taxIdCheck: createViesCheck(register.url),
  }
  return await createTaxIdCheckActivities(deps).checkTaxIds()
}

/** As if what was asked in vain had been asked a day ago: nobody waits for that in a test. */
async function letADayPass(): Promise<void> {
  await api.db.transaction().execute(async (tx) => {
    const rows = await tx.selectFrom('tax_id_checks').selectAll().execute()
    await sql`alter table tax_id_checks disable trigger tax_id_check_immutable`.execute(tx)
    for (const { id, checked_at: at } of rows) {
      const dayBefore = new Date(Date.parse(at) - 86_400_000).toISOString()
      await tx.updateTable('tax_id_checks').set({ checked_at: dayBefore }).where('id', '=', id).execute()
    }
    await sql`alter table tax_id_checks enable trigger tax_id_check_immutable`.execute(tx)
  })
}

async function taxOfNextInvoice(): Promise<unknown> {
  const work = { description: 'Work', unit_price: '100.00', currency: 'USD' }
  await api.post('/v1/customers/paris/one-off-charges', work)
  const { status, body } = await api.post('/v1/invoices', { customer: 'paris' })
  assert.equal(status, 201, JSON.stringify(body))
  const [tax] = body['taxes'] as { category: string; tax: { amount_minor: number } }[]
  return [tax?.category, tax?.tax.amount_minor]
}

async function openTasks(): Promise<string[]> {
  const { body } = await api.get('/v1/tasks?open=true')
  return (body['data'] as { kind: string; detail: string }[]).map(({ detail }) => detail)
}

test('E-20 a register that is away means taxed and one task; verified later, the next invoice is without tax', async () => {
  register.state.isAway = true
  assert.deepEqual(await checkTaxIds(), { valid: 0, invalid: 0, unreachable: 1 })
  assert.deepEqual(await checkTaxIds(), { valid: 0, invalid: 0, unreachable: 0 }, 'not asked again at once')
  assert.deepEqual(await taxOfNextInvoice(), ['standard', 2000])
  await letADayPass()
  await checkTaxIds()
  const [task, ...others] = await openTasks()
  assert.match(String(task), /^The register of FR 40303265045 was not reached \(MS_UNAVAILABLE\)/)
  assert.deepEqual(others, [])

  register.state.isAway = false
  register.known.set('FR40303265045', 'PARIS SA')
  await letADayPass()
  assert.deepEqual(await checkTaxIds(), { valid: 1, invalid: 0, unreachable: 0 })
  assert.deepEqual(await taxOfNextInvoice(), ['reverse_charge', 0])
  assert.deepEqual(await openTasks(), [])
  const { body } = await api.get('/v1/customers/paris/tax-id-checks')
  const answers = body['data'] as Record<string, unknown>[]
  assert.deepEqual(
    answers.map(({ answer }) => answer),
    ['valid', 'unreachable', 'unreachable'],
  )
  assert.match(String(answers[0]?.['consultation_number']), /^WAPI\d+$/)
  assert.equal(answers[0]?.['registered_name'], 'PARIS SA')
  assert.deepEqual(
    await checkTaxIds(),
    { valid: 0, invalid: 0, unreachable: 0 },
    'what is known is not asked',
  )
  assert.deepEqual(register.asked.at(-1), {
    countryCode: 'FR',
    vatNumber: '40303265045',
    requesterMemberStateCode: 'DE',
    requesterNumber: '123456789',
  })
})

test('E-20 an id that the register does not know is asked once, and taxed, until another is given', async () => {
  assert.equal((await api.patch('/v1/customers/paris', { tax_id: 'FR40303265099' })).status, 200)
  assert.deepEqual(await checkTaxIds(), { valid: 0, invalid: 1, unreachable: 0 })
  await letADayPass()
  assert.deepEqual(await checkTaxIds(), { valid: 0, invalid: 0, unreachable: 0 })
  assert.deepEqual(await taxOfNextInvoice(), ['standard', 2000])
  assert.match(String((await openTasks())[0]), /does not know FR40303265099/)
  await api.patch('/v1/customers/paris', { tax_id: 'FR40303265045' })
  assert.deepEqual(await openTasks(), [])
  assert.deepEqual(await checkTaxIds(), { valid: 1, invalid: 0, unreachable: 0 })
})

test('E-20 what cannot be a tax id of the country is refused at once, without asking anybody', async () => {
  const { status, body } = await api.patch('/v1/customers/paris', { tax_id: 'FR1' })
  assert.deepEqual([status, body['code']], [422, 'tax_id_invalid'])
  const [field] = body['errors'] as { pointer: string }[]
  assert.equal(field?.pointer, '/tax_id')
  assert.equal((await api.patch('/v1/customers/paris', { name: 'Paris SA' })).status, 200)
})
