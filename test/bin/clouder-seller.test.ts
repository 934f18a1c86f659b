import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

async function done(args: string[]): Promise<string> {
  const ran = await clouder.run(args)
  assert.equal(ran.code, 0, ran.stderr)
  return ran.stdout
}

test('the seller is changed and shown, and a change of nothing is a mistake', async () => {
  await done(['seller', 'set', '--country', 'DE', '--prices-include-tax', 'yes', '--draft-days', '2'])
  const shown = await done(['seller'])
  assert.match(shown, /country\s+DE/)
  assert.match(shown, /prices\s+include tax/)
  assert.match(shown, /drafts\s+open for 2 days/)
  assert.equal((await clouder.run(['seller', 'set'])).code, 2)
  await done(['seller', 'set', '--prices-include-tax', 'no', '--draft-days', '0'])
})

test('how long readings and last backups are kept is set, and refused outside of its bounds', async () => {
  const set = (days: string) => ['seller', 'set', '--readings-raw-days', days]
  await done([...set('60'), '--readings-hourly-months', '24', '--backup-retention-days', '45'])
  const shown = await done(['seller'])
  assert.match(shown, /readings\s+raw for 60 days, hours for 24 months/)
  assert.match(shown, /last backups\s+kept for 45 days/)
  const refused = await clouder.run(set('6'))
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /expected number to be >=7/)
})

test('an account is set whole, or not', async () => {
  const half = await clouder.run(['seller', 'set', '--iban', 'DE89370400440532013000'])
  assert.equal(half.code, 2)
  assert.match(half.stderr, /--iban, --bic and --account-holder together/)
  const iban = ['--iban', 'DE89 3704 0044 0532 0130 00']
  await done(['seller', 'set', ...iban, '--bic', 'COBADEFFXXX', '--account-holder', 'Harbour'])
  assert.match(await done(['seller']), /bank account\s+DE89370400440532013000, COBADEFFXXX, Harbour/)
})

test('a tax rate is added, listed and ended', async () => {
  const rate = JSON.parse(
    await done(['tax-rates', 'add', '19', '--country', 'DE', '--name', 'USt', '--json']),
  ) as { id: string }
  await done(['tax-rates', 'end', rate.id, '2026-07-01'])
  const [row] = (await done(['tax-rates'])).trimEnd().split('\n')
  assert.equal(row, [rate.id, 'DE', '–', 'standard', 'USt', '19', '–', '2026-07-01'].join('\t'))
})

test('an exchange rate is recorded and listed', async () => {
  const rate = ['--base', 'EUR', '--quote', 'USD', '--source', 'ECB', '--on', '2026-02-27']
  const { stderr } = await clouder.run(['exchange-rates', 'add', '1.0842', ...rate])
  assert.match(stderr, /1 EUR = 1\.0842 USD from 2026-02-27: fx_/)
  const [row = ''] = (await done(['exchange-rates'])).trimEnd().split('\n')
  assert.deepEqual(row.split('\t').slice(1), ['EUR', 'USD', '1.0842', '2026-02-27', 'ECB'])
})

test('an order makes a new environment, whose names are held as long as the seller says', async () => {
  await done(['seller', 'set', '--reservation-minutes', '20'])
  assert.match(await done(['seller']), /names in the shop\s+held for 20 minutes/)
  const order = ['order', 'set-up', '--customer', 'north-clinic', '--json']
  const made = JSON.parse(await done([...order, '--new-environment', 'clinic', '--prefix', 'nc'])) as {
    environment: { id: string; name: string; prefix: string }
  }
  assert.partialDeepStrictEqual(made.environment, { name: 'clinic', prefix: 'nc' })
  await done([...order, '--environment', made.environment.id])
  const both = ['--environment', made.environment.id, '--new-environment', 'clinic']
  assert.equal((await clouder.run([...order, ...both])).code, 2)
})

test('terms of service are published and listed, and an order accepts them', async () => {
  const published = await clouder.run(['service-terms', 'publish', '--url', 'https://example.com/terms/1'])
  assert.match(published.stderr, /Version 1, in force/)
  assert.match(await done(['service-terms']), /^1\t.*\tyes\thttps:\/\/example\.com\/terms\/1/m)
  await done(['seller', 'set', '--terms-required', 'everywhere'])
  const order = ['order', 'set-up', '--customer', 'north-clinic', '--json']
  const refused = await clouder.run(order)
  assert.match(refused.stderr, /Version 1 of the terms of service has to be accepted/)
  const placed = JSON.parse(await done([...order, '--accept-terms', '1'])) as { accepted_terms: object }
  assert.partialDeepStrictEqual(placed.accepted_terms, { version: 1 })
  await done(['seller', 'set', '--terms-required', 'shop'])
})

test('an external id is given, and addresses what has it', async () => {
  const given = await clouder.run(['external-id', 'customer', 'north-clinic', 'crm-4711'])
  assert.match(given.stderr, /cus_\w+ can be addressed as ext:crm-4711/)
  const order = ['order', 'set-up', '--customer', 'ext:crm-4711', '--external-id', 'po-1', '--json']
  assert.equal((JSON.parse(await done(order)) as { external_id: string }).external_id, 'po-1')
  const again = await clouder.run(order)
  assert.equal(again.code, 5)
  assert.match(again.stderr, /external id po-1 belongs to another one/)
  const taken = await clouder.run(['external-id', 'customer', 'ext:crm-4711'])
  assert.match(taken.stderr, /has no external id/)
})

test('an order says its start, its reference and its code, and a dry run shows what they come to', async () => {
  const ran = await clouder.run([
    'order',
    'set-up',
    '--customer',
    'north-clinic',
    '--discount-code',
    'NOBODY',
  ])
  assert.match(ran.stderr, /There is no discount code NOBODY/)
  await done(['tax-rates', 'add', '19', '--country', 'DE', '--name', 'USt', '--from', '2026-07-01'])
  const args = ['order', 'odoo-config-2', '--customer', 'north-clinic', '--dry-run']
  const shown = await done([...args, '--starts-on', '2026-12-01', '--purchase-order', 'PO-7'])
  assert.match(shown, /starts\s+2026-12-01/)
  assert.match(shown, /every month\s+\d+\.\d\d USD, of which tax \d+\.\d\d USD/)
})

test('an application gets a price grid by values, and what is no step is a mistake', async () => {
  const lower = ['--application', '--currency', 'USD', '--bounds', 'lower', '--from', '2026-05-01']
  const set = ['price-grids', 'set', 'static-site', '0=10:users', '11=2x:users', ...lower]
  assert.match(await done(set), /2026-05-01\tUSD\t.*from 11 users 2\.00 USD each/)
  const [grid] = JSON.parse(
    await done(['price-grids', 'show', 'static-site', '--application', '--json']),
  ) as {
    price: { steps: object[] }
  }[]
  assert.deepEqual(grid?.price.steps, [
    { from: '0', amount: '10', kind: 'fixed', value: 'users' },
    { from: '11', amount: '2', kind: 'times_value', value: 'users' },
  ])
  const wrong = await clouder.run(['price-grids', 'set', 'static-site', 'eleven=2', ...lower])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /A step is bound=amount/)
})

test('a quote is drafted, listed and confirmed, and one is taken back', async () => {
  const quote = async () => {
    const args = ['order', 'static-site', '--customer', 'north-clinic', '--quote-until', '2099-12-31']
    return (JSON.parse(await done([...args, '--json'])) as { id: string }).id
  }
  const [sold, taken] = [await quote(), await quote()]
  const states = async () =>
    (
      JSON.parse(await done(['orders', '--customer', 'north-clinic', '--json'])) as {
        id: string
        state: string
      }[]
    )
      .filter(({ id }) => id === sold || id === taken)
      .map(({ id, state }) => [id, state])
  assert.deepEqual(await states(), [[taken, 'draft'], [sold, 'draft']]) // prettier-ignore
  assert.match(await done(['orders', 'confirm', sold]), /confirmed\tnorth-clinic/)
  await done(['orders', 'cancel', taken])
  assert.deepEqual(await states(), [[taken, 'cancelled'], [sold, 'confirmed']]) // prettier-ignore
})

test('an order is shown with what came of it, and placed again', async () => {
  const order = ['order', 'set-up', '--customer', 'north-clinic', '--json']
  const { id } = JSON.parse(await done(order)) as { id: string }
  assert.match(
    await done(['orders', '--customer', 'north-clinic']),
    new RegExp(`^${id}\tconfirmed\tnorth-clinic`, 'm'),
  )
  assert.match(await done(['orders', 'show', id]), /set-up\t1 piece\t/)
  const again = await clouder.run(['orders', 'place-again', id])
  assert.match(again.stderr, /Drafted: ord_\w+, until .*\n.*Nothing changed/)
})
