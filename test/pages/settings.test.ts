import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { toSellerJson } from '#api/schemas/seller.ts'
import { readSeller } from '#db/seller.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, readForm, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
})
after(async () => console.close())

const seller = async () => toSellerJson(await readSeller(console.db))
const year = new Date().getUTCFullYear()

test('the seller’s facts are changed by one form, and the other forms’ parts stay', async () => {
  const before = await seller()
  const done = await console.submit('/settings', '/settings/seller', {
    name: 'Clouder GmbH',
    address: 'Hafen 1\n20457 Hamburg',
    country: 'DE',
    tax_id: 'DE123',
    registration: '',
    email: 'billing@example.com',
    'bank_account.iban': 'DE89 3704 0044 0532 0130 00',
    'bank_account.bic': 'COBADEFF',
    'bank_account.name': 'Clouder GmbH',
  })
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/settings?saved=seller#seller'])
  assert.deepEqual(await seller(), {
    ...before,
    name: 'Clouder GmbH',
    address: 'Hafen 1\n20457 Hamburg',
    country: 'DE',
    tax_id: 'DE123',
    registration: null,
    email: 'billing@example.com',
    bank_account: { iban: 'DE89370400440532013000', bic: 'COBADEFF', name: 'Clouder GmbH' },
  })
  const { html } = await console.get('/settings?saved=seller')
  assert.match(sectionText(html, 'seller'), /✓ Saved\./)
  assert.doesNotMatch(sectionText(html, 'billing'), /Saved/)
  assert.match(html, /value="DE89370400440532013000"/)
})

test('how documents are taxed, rounded, reviewed and due is chosen', async () => {
  const done = await console.submit('/settings', '/settings/billing', {
    prices_include_tax: 'true',
    tax_rounding: 'line',
    tax_determination: 'service',
    recurrence_starts: 'first_invoice',
    payment_terms_days: '30',
    draft_days: '2',
  })
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(await seller(), {
    prices_include_tax: true,
    tax_rounding: 'line',
    tax_determination: 'service',
    recurrence_starts: 'first_invoice',
    payment_terms_days: 30,
    draft_days: 2,
  })
  const { html } = await console.get('/settings')
  assert.match(html, /<option value="line" selected[^>]*>on each line/)
})

test('a pattern is shown with the number that comes next', async () => {
  await console.submit('/settings', '/settings/numbers', {
    'number_patterns.invoice.series': 'RE',
    'number_patterns.invoice.pattern': '{series}-{year}-{number:4}',
    'number_patterns.credit_note.series': 'GS',
    'number_patterns.credit_note.pattern': '{series}-{number}',
  })
  const text = async () => sectionText((await console.get('/settings')).html, 'numbers')
  assert.match(await text(), new RegExp(`The next one is RE-${year}-0001 .* The next one is GS-1 `))
  await console.db
    .insertInto('number_series')
    .values({ code: `RE-${year}`, next_number: 42, last_hash: null, last_issued_on: `${year}-01-01` })
    .execute()
  assert.match(await text(), new RegExp(`The next one is RE-${year}-0042 `))
})

test('what is refused comes back beside its field with what was typed, and changes nothing', async () => {
  const before = await seller()
  const patterns = {
    'number_patterns.invoice.series': 'RE',
    'number_patterns.invoice.pattern': '{number}',
    'number_patterns.credit_note.series': 'GS',
    'number_patterns.credit_note.pattern': '{series}-{number}',
  }
  const refused = await console.submit('/settings', '/settings/numbers', patterns)
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Nothing was changed\. \{number\} must hold \{series\} once\./)
  assert.match(refused.html, /<title>Refused: /)
  assert.match(
    refused.html,
    /id="numbers-number_patterns-invoice-pattern"[^>]*aria-invalid="true"[^>]*value="\{number\}"/,
  )
  assert.match(refused.html, /href="#numbers-number_patterns-invoice-pattern"/)
  const days = await console.submit('/settings', '/settings/billing', {
    prices_include_tax: 'true',
    tax_rounding: 'line',
    recurrence_starts: 'activation',
    payment_terms_days: 'soon',
    draft_days: '2',
  })
  assert.equal(days.status, 422)
  assert.match(days.html, /id="billing-payment_terms_days"[^>]*aria-invalid="true"/)
  assert.deepEqual(await seller(), before)
})

test('a form without the session’s token is not ours', async () => {
  const form = readForm((await console.get('/settings')).html, '/settings/billing')
  const answer = await console.request('/settings/billing', {
    method: 'POST',
    body: new URLSearchParams({ ...form, form_token: 'guessed', draft_days: '9' }),
    headers: { 'sec-fetch-site': 'same-origin', cookie: console.cookie, accept: 'text/html' },
  })
  assert.equal(answer.status, 403)
})

test('a tax rate is added, then ended, and one that overlaps is refused', async () => {
  const page = '/settings/tax-rates'
  const rate = { country: 'NZ', name: 'GST', rate_percent: '15', category: '', region: '' }
  const done = await console.submit(page, page, { ...rate, starts_on: '2020-01-01', ends_on: '' })
  assert.deepEqual([done.status, done.headers.get('location')], [303, page])
  const { html } = await console.get(page)
  assert.match(textOf(html), /NZ GST standard 15 % 1 January 2020/)
  const twice = await console.submit(page, page, { ...rate, starts_on: '2021-01-01', ends_on: '' })
  assert.equal(twice.status, 422)
  assert.match(textOf(twice.html), /Nothing was changed\./)
  assert.match(twice.html, /<details id="add" open/)
  assert.match(twice.html, /value="15"/)

  const { id } = await console.db
    .selectFrom('tax_rates')
    .select('id')
    .where('country', '=', 'NZ')
    .executeTakeFirstOrThrow()
  const end = `${page}/${encodeId('taxRate', id)}/end`
  const early = await console.submit(page, end, { ends_on: '2019-01-01' })
  assert.equal(early.status, 422)
  assert.match(textOf(early.html), /It starts on 2020-01-01; it must end after it\./)
  assert.equal((await console.submit(page, end, { ends_on: '2022-01-01' })).status, 303)
  assert.match(textOf((await console.get(page)).html), /NZ .* ended 1 January 2022/)
})

test('an exchange rate is recorded, and one of a currency in itself is refused', async () => {
  const page = '/settings/exchange-rates'
  const rate = { base: 'EUR', rate: '1.0842', quote: 'USD', source: 'ECB', valid_on: '2026-02-27' }
  assert.equal((await console.submit(page, page, rate)).status, 303)
  assert.match(textOf((await console.get(page)).html), /1 EUR 1\.0842 USD 27 February 2026 ECB/)
  const itself = await console.submit(page, page, { ...rate, quote: 'EUR' })
  assert.equal(itself.status, 422)
  assert.match(textOf(itself.html), /A rate is between two currencies\./)
})

test('a discount is added by percent or amount, and archived once', async () => {
  const page = '/settings/discounts'
  const amount = { name: 'Welcome', code: 'HELLO', amount: '5.00', currency: 'USD', scope: 'document' }
  const bounds = { period_count: '3', maximum_uses: '100', is_once_per_customer: 'true' }
  assert.equal((await console.submit(page, page, { ...amount, ...bounds })).status, 303)
  const { html } = await console.get(page)
  assert.match(
    sectionText(html, 'discounts'),
    /Welcome once a customer HELLO 5\.00 USD for 3 periods the document always 0 of 100 Archive/,
  )
  const both = await console.submit(page, page, { ...amount, code: 'BOTH', percent: '10' })
  assert.equal(both.status, 422)
  assert.match(textOf(both.html), /A discount has either a percent or an amount/)
  assert.match(both.html, /id="add-percent"[^>]*aria-invalid="true"/)
  const taken = await console.submit(page, page, {
    name: 'Again',
    code: 'HELLO',
    percent: '5',
    scope: 'line',
  })
  assert.equal(taken.status, 422)

  const { id } = await console.db.selectFrom('discounts').select('id').executeTakeFirstOrThrow()
  const archive = `${page}/${encodeId('discount', id)}/archive`
  assert.equal((await console.submit(page, archive)).status, 303)
  assert.match(sectionText((await console.get(page)).html, 'discounts'), /HELLO .* archived/)
})

test('the settings are one link in the menu, and each part is reached from every other', async () => {
  const places = ['/settings', '/settings/tax-rates', '/settings/exchange-rates', '/settings/discounts']
  for (const path of places) {
    const { html } = await console.get(path)
    const [menu = ''] = /<nav aria-label="Console">.*?<\/nav>/s.exec(html) ?? []
    assert.match(menu, /href="\/settings" aria-current="page"/)
    assert.doesNotMatch(menu, /-rates|discounts/)
    for (const other of places) {
      assert.ok(html.includes(`<a href="${other}"`), `${path} leads to ${other}`)
    }
  }
})

test('what orders wait for, and what becomes of money, is chosen', async () => {
  const done = await console.submit('/settings', '/settings/orders', {
    unpaid_order_days: '7',
    unbuilt_payments: 'refund',
    mail_verification: 'shop',
    'review_rules.amount_from_minor': '50000',
    'review_rules.countries': 'DE, FR',
    'review_rules.is_first_order': 'true',
  })
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(await seller(), {
    unpaid_order_days: 7,
    unbuilt_payments: 'refund',
    mail_verification: 'shop',
    review_rules: { amount_from_minor: 50_000, countries: ['DE', 'FR'], is_first_order: true },
  })
  const { html } = await console.get('/settings')
  assert.match(html, /value="DE, FR"/)
  const refused = await console.submit('/settings', '/settings/orders', { unpaid_order_days: '0' })
  assert.equal(refused.status, 422)
  assert.equal((await seller()).unpaid_order_days, 7)
})

test('how long readings and last backups are kept is set within bounds, and the other settings stay', async () => {
  const before = await seller()
  const form = {
    readings_raw_days: '60',
    readings_hourly_months: '24',
    backup_retention_days: '45',
    usage_late_days: '60',
    usage_early_seconds: '120',
  }
  const done = await console.submit('/settings', '/settings/kept', form)
  assert.equal(done.status, 303)
  const kept = {
    readings_raw_days: 60,
    readings_hourly_months: 24,
    backup_retention_days: 45,
    usage_late_days: 60,
    usage_early_seconds: 120,
  }
  assert.deepEqual(await seller(), { ...before, ...kept })
  const stored = console.db.selectFrom('reading_store').select(['raw_days', 'hourly_months'])
  assert.deepEqual(await stored.executeTakeFirst(), { raw_days: 60, hourly_months: 24 })
  for (const [name, value] of [
    ['readings_raw_days', '6'],
    ['readings_raw_days', '3651'],
    ['readings_hourly_months', '3'],
    ['readings_hourly_months', '121'],
    ['usage_late_days', '101'],
    ['usage_early_seconds', '3601'],
  ] as const) {
    const refused = await console.submit('/settings', '/settings/kept', { ...form, [name]: value })
    assert.equal(refused.status, 422, `${name} ${value}`)
    assert.match(refused.html, new RegExp(`name="${name}"[^>]*aria-invalid`))
  }
  assert.deepEqual(await seller(), { ...before, ...kept })
})

test('of which changes customers are told is ticked, each by itself', async () => {
  const done = await console.submit('/settings', '/settings/announced', { quantity: 'true', product: 'true' })
  assert.equal(done.status, 303)
  const { announced_fields: told } = await seller()
  assert.ok(told.includes('quantity') && told.includes('product'))
})

test('a metric is defined for all applications by a form, refused beside its field, and archived', async () => {
  const path = '/settings/metrics'
  const held = {
    code: 'held',
    title: 'Disk held',
    unit: 'GiB',
    kind: 'gauge',
    aggregation: 'max',
    level: 'volume',
  }
  const refused = await console.submit(path, path, { ...held, kind: 'counter' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /A counter is aggregated by sum, count, unique_count\./)
  assert.equal((await console.submit(path, path, held)).status, 303)
  const { html } = await console.get(path)
  assert.match(sectionText(html, 'metrics'), /Disk held held gauge in GiB, max of each volume/)
  const [, action = ''] = /action="(\/settings\/metrics\/met_\w+\/archive)"/.exec(html) ?? []
  assert.equal((await console.submit(path, action, {})).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'metrics'), /held, archived/)
})

test('a data source is given by a form, without its password coming back, and forgotten', async () => {
  const path = '/settings/data-sources'
  const given = { code: 'warehouse', kind: 'mysql', host: 'db.example.com', port: '3306', username: 'reader', password: 'a-secret-word' }
  const refused = await console.submit(path, path, given)
  assert.equal(refused.status, 422)
  assert.match(refused.html, /A mysql source needs its database\./)
  assert.doesNotMatch(refused.html, /a-secret-word/)
  assert.equal((await console.submit(path, path, { ...given, database: 'shop' })).status, 303)
  const { html } = await console.get(path)
  assert.match(sectionText(html, 'data-sources'), /warehouse db\.example\.com:3306 mysql shop, without TLS reader/)
  const [, action = ''] = /action="(\/settings\/data-sources\/dsrc_\w+\/remove)"/.exec(html) ?? []
  assert.equal((await console.submit(path, action, {})).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'data-sources'), /None/)
}) // prettier-ignore

test('a webhook is made by a form, its secret shown on that page only, and asked of on its own page', async () => {
  const path = '/settings/webhooks'
  const refused = await console.submit(path, path, { url: 'https://10.0.0.1/', kinds: 'limit.*' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /10\.0\.0\.1 is no address of the public internet/)
  const made = await console.submit(path, path, { url: 'https://hooks.example.com/', kinds: 'limit.*, invoice.finalized' })
  assert.match(made.html, /Shown once\.<\/strong>[^]*<code>whsec_/)
  const { html } = await console.get(path)
  assert.doesNotMatch(html, /whsec_/)
  assert.match(sectionText(html, 'webhooks'), /https:\/\/hooks\.example\.com\/ limit\.\*, invoice\.finalized/)
  const [, own = ''] = /href="(\/settings\/webhooks\/whk_\w+)"/.exec(html) ?? []
  assert.equal((await console.submit(own, `${own}/test`)).status, 303)
  assert.match(sectionText((await console.get(own)).html, 'deliveries'), /webhook\.tested[^]* waiting not posted yet/)
  assert.equal((await console.submit(own, `${own}/redeliver`, { from: '2026-01-01T00:00:00Z', event: '' })).status, 303)
  assert.equal((await console.submit(own, `${own}/disable`)).status, 303)
  assert.match((await console.submit(own, `${own}/rotate-secret`)).html, /whsec_/)
  assert.equal((await console.submit(own, `${own}/enable`)).status, 303)
  assert.equal((await console.submit(own, `${own}/remove`)).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'webhooks'), /None/)
}) // prettier-ignore

test('a deployer is given by a form, without its key coming back, has a product deployed there, and is forgotten', async () => {
  const path = '/settings/deployers'
  const given = { code: 'yard', url: 'http://yard.example.com', customer: 'acme', key: 'a-secret-key' }
  const refused = await console.submit(path, path, given)
  assert.equal(refused.status, 422)
  assert.doesNotMatch(refused.html, /a-secret-key/)
  assert.equal((await console.submit(path, path, { ...given, url: 'https://yard.example.com' })).status, 303)
  const { html } = await console.get(path)
  assert.doesNotMatch(html, /a-secret-key/)
  assert.match(sectionText(html, 'deployers'), /yard .*https:\/\/yard\.example\.com/)
  const sold = { deployer: 'yard', product: 'no-such-product', product_there: 'site', kit_there: '' }
  const unknown = await console.submit(path, `${path}/products`, sold)
  assert.equal(unknown.status, 422)
  assert.match(textOf(unknown.html), /Nothing was changed\./)
  const [, id = ''] = /action="\/settings\/deployers\/(\w+)\/look"/.exec(html) ?? []
  assert.equal((await console.submit(path, `${path}/${id}/look`)).status, 303)
  assert.equal((await console.submit(path, `${path}/${id}/remove`)).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'deployers'), /None/)
}) // prettier-ignore
