import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { beginStep, finishStep, setStepProgress } from '#db/build-step.ts'
import { insertEvent } from '#db/event.ts'
import { setPhase } from '#db/subscription.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { serveTestConsole, type ServedConsole } from './console.ts'
import { tellShop, type Shop } from './instance-story.ts'
import { activate, build, seedStory, sell, tellTwoMonths, type Sold } from './story.ts'

let console: ServedConsole
let browser: Browser
let story: Sold
let shop: Shop
let running: { sold: Sold; stepIds: string[] }

before(async () => {
  console = await serveTestConsole()
  await seedStory(console.db)
  story = await tellTwoMonths(console.db)
  const sold = await sell(console.db, { kit: 'odoo-config-2' })
  running = { sold, ...(await build(console.db, sold, { runningStep: 1 })) }
  shop = await tellShop(console.db, { id: 'test', bytes: randomBytes(32) })
  browser = await chromium.launch({
    executablePath: process.env['CLOUDER_TEST_CHROMIUM'] || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
})
after(async () => {
  await browser?.close()
  await console?.close()
})

/** A signed-in browser of its own; whatever it complains about fails the test. */
async function open(path: string, options: BrowserContextOptions, work: (page: Page) => Promise<void>) {
  const context = await browser.newContext(options)
  const complaints: string[] = []
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(await console.createLogin())
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${console.url}/`)
    await page.goto(`${console.url}${path}`)
    await work(page)
    assert.deepEqual(complaints, [])
  } finally {
    await context.close()
  }
}

const subscriptionPath = () => `/subscriptions/${story.publicId}`
async function invoicePath(): Promise<string> {
  const invoice = await console.db
    .selectFrom('invoices')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  return `/invoices/${encodeId('invoice', invoice.id)}`
}

/** Pages that are forms in the main; the change is one with its preview. */
async function formPaths(): Promise<string[]> {
  const line = await console.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', story.id)
    .where('limit_code', '=', 'emails')
    .executeTakeFirstOrThrow()
  const customer = await console.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', story.id)
    .executeTakeFirstOrThrow()
  const change = new URLSearchParams({
    line: encodeId('subscriptionLine', line.id),
    quantity: '9',
    preview: '1',
  })
  return [
    '/customers',
    `/customers/${encodeId('customer', customer.customer_id)}`,
    `${subscriptionPath()}/change?${change.toString()}`,
    '/catalog',
    '/catalog/products/odoo-user',
    '/catalog/kits/odoo-config-1',
    '/settings',
    '/settings/tax-rates',
    '/settings/discounts',
    '/servers',
    shop.path,
    `${shop.path}/secrets`,
    `${shop.path}/settings?preview=1&limits.web.memory_mib=256`,
  ]
}

/** What of a page is another in dark colours. */
const colourRules = ['color-contrast', 'link-in-text-block']

/** In light colours by every rule, in dark ones by those that look at colours. */
async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(`for (const folded of document.querySelectorAll('details')) folded.open = true`)
  await page.emulateMedia({ colorScheme: 'light' })
  await assertNothingFound(page, new AxeBuilder({ page }))
  await page.emulateMedia({ colorScheme: 'dark' })
  await assertNothingFound(page, new AxeBuilder({ page }).withRules(colourRules))
}

async function assertNothingFound(page: Page, axe: AxeBuilder): Promise<void> {
  // The pages have no frames of others: what was found is put together where it was, not in a new tab, a process each.
  const { violations } = await axe.setLegacyMode().analyze()
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)
  assert.deepEqual(found, [], page.url())
}

test('no page has anything that axe objects to, in light and in dark colours', async () => {
  const paths = [
    '/',
    '/subscriptions',
    subscriptionPath(),
    `/subscriptions/${running.sold.publicId}`,
    `${subscriptionPath()}/cancel`,
    '/invoices',
    await invoicePath(),
    ...(await formPaths()),
  ]
  await open('/', {}, async (page) => {
    for (const path of paths) {
      await page.goto(`${console.url}${path}`)
      await assertAccessible(page)
    }
  })
})

test('a customer finds the way in by a link, and no page of the portal has anything that axe objects to, or is wider than a phone', async () => {
  const { body } = await console.post('/v1/customers/harbour-bakery/portal-links', {})
  const context = await browser.newContext({ viewport: { width: 390, height: 800 } })
  try {
    const page = await context.newPage()
    await page.goto(String(body['url']))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${console.url}/portal`)
    await assertAccessible(page)
    await page.getByRole('link', { name: 'Odoo Config 1' }).first().click()
    await page.getByRole('heading', { name: 'Usage', exact: true }).waitFor()
    await page.getByText('Set or change your cap').click()
    await assertAccessible(page)
    await page.getByLabel('In a billing period, in USD, without tax').fill('250.00')
    await page.getByLabel('At the cap').selectOption('it stops')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('At 250.00 USD in a billing period it stops').waitFor()
    for (const path of [page.url(), `${console.url}/portal/invoices`]) {
      await page.goto(path)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, path)
    }
    await assertAccessible(page)
    await page.goto(`${console.url}/portal`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor()
  } finally {
    await context.close()
  }
})

test('no page is wider than a small phone', async () => {
  await open('/', { viewport: { width: 390, height: 800 } }, async (page) => {
    const paths = ['/', '/subscriptions', subscriptionPath(), '/invoices', await invoicePath()]
    const parts = ['/instances', `${shop.path}/actions`, `${shop.path}/backups`]
    for (const path of [...paths, ...parts, ...(await formPaths())]) {
      await page.goto(`${console.url}${path}`)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, path)
    }
  })
})

test('how a supplier invoice stands is seen on a phone without scrolling: disputed, void, and of a great sum', async () => {
  const peerId = await insertPeer(console.db, { name: 'Upstream Hosting and Colocation' })
  const great = {
    number: 'UP-2026-000123',
    document: 'inv_01kb0000000000000000000002',
    net_minor: 99_999_999_999,
  }
  await receiveDocument(console.db, peerId, supplierDocument({ ...great, tax_minor: 0, total_minor: 1 }))
  await console.post('/v1/suppliers', { code: 'power', name: 'Power', currency: 'USD' })
  const lines = [{ description: 'Rack', amount_minor: 99_999_999_999 }]
  const sums = { net_minor: 99_999_999_999, tax_minor: 0, total_minor: 99_999_999_999 }
  const stated = { supplier: 'power', number: 'R-1', issued_on: '2026-03-02', lines, ...sums }
  const { body } = await console.post('/v1/supplier-invoices', stated)
  await console.post(`/v1/supplier-invoices/${String(body['id'])}/void`, { reason: 'misread' })
  const width = 390
  await open('/payables', { viewport: { width, height: 800 } }, async (page) => {
    const list = page.locator('#list')
    for (const state of ['disputed', 'void']) {
      const box = await list.locator('.state', { hasText: state }).boundingBox()
      assert.ok(box && box.x >= 0 && box.x + box.width <= width, `${state}: ${JSON.stringify(box)}`)
    }
    for (const number of [great.number, 'R-1']) {
      await page.goto(`${console.url}/payables`)
      await list.getByRole('link', { name: number }).click()
      await page.getByRole('heading', { name: 'Where it stands' }).waitFor()
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, number)
      await assertAccessible(page)
    }
  })
})

test('a build is seen step by step without a reload, and ends in an address to press', async () => {
  const { sold, stepIds } = running
  await open(`/subscriptions/${sold.publicId}`, {}, async (page) => {
    await page.evaluate('window.wasNotReloaded = true')
    await page.getByText('Live', { exact: true }).waitFor()
    const section = page.locator('#build')
    assert.match(await section.innerText(), /1 of 5 steps done/)

    await finishStep(console.db, stepIds[1] ?? '', 'made')
    await beginStep(console.db, stepIds[2] ?? '', 1)
    await section.getByText('2 of 5 steps done').waitFor()
    await page.locator('#live-news').getByText('Image').waitFor({ state: 'attached' })

    await setStepProgress(console.db, stepIds[2] ?? '', 'layer 7 of 9')
    await section.getByText('layer 7 of 9').waitFor()

    await finishStep(console.db, stepIds[2] ?? '', 'made')
    await build(console.db, sold, 'done')
    await activate(console.db, sold, new Date().toISOString())
    await page.getByRole('link', { name: /^Open Odoo/ }).waitFor()
    assert.equal(await page.evaluate('window.wasNotReloaded'), true)
  })
})

test('what is typed, focused and unfolded stays while the page changes around it', async () => {
  await open(subscriptionPath(), {}, async (page) => {
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('commands sent to the instance').click()
    const quantity = page.getByLabel('New quantity of Email')
    await quantity.fill('9')
    await console.db
      .updateTable('subscription_lines')
      .set({ description: 'Mail box' })
      .where('subscription_id', '=', story.id)
      .where('limit_code', '=', 'emails')
      .execute()
    await insertEvent(console.db, { kind: 'usage.read', subscriptionId: story.id })
    const renamed = page.getByLabel('New quantity of Mail box')
    await renamed.waitFor()
    assert.equal(await renamed.inputValue(), '9')
    assert.equal(await page.evaluate('document.activeElement.name'), 'quantity')
    assert.equal(await page.locator('#limit-log').getAttribute('open'), '')
  })
})

test('a hidden page holds no stream, and catches up when it is looked at again', async () => {
  await open(subscriptionPath(), {}, async (page) => {
    await page.getByText('Live', { exact: true }).waitFor()
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.isAway === true })
      window.isAway = true
      document.dispatchEvent(new Event('visibilitychange'))`)
    await insertEvent(console.db, {
      kind: 'document.parked',
      subscriptionId: story.id,
      data: { reason: 'told while away' },
    })
    await new Promise((resolve) => setTimeout(resolve, 800))
    assert.equal(await page.getByText('told while away').count(), 0)
    await page.evaluate(`
      window.isAway = false
      document.dispatchEvent(new Event('visibilitychange'))`)
    await page.locator('#timeline').getByText('told while away').waitFor()
  })
})

test('a page keeps up while events never pause', async () => {
  await open(subscriptionPath(), {}, async (page) => {
    await page.getByText('Live', { exact: true }).waitFor()
    const storm = new AbortController()
    const events = (async () => {
      for (let count = 1; !storm.signal.aborted && count < 400; count += 1) {
        await insertEvent(console.db, {
          kind: 'document.parked',
          subscriptionId: story.id,
          data: { reason: `no. ${count}` },
        })
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    })()
    await page
      .locator('#timeline')
      .getByText(/no\. \d+/)
      .first()
      .waitFor({ timeout: 5_000 })
    storm.abort()
    await events
  })
})

test('with the keyboard alone one gets from the top of the page to a suspended subscription', async () => {
  const sold = await sell(console.db, { product: 'static-site' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
  console.temporal.behaviour.onUpdate = async (update) => {
    await setPhase(console.db, sold.id, {
      phase: 'suspended',
      event: 'subscription.suspended',
      suspendedReason: 'not paid',
      now: new Date().toISOString(),
    })
    return { requestId: update.updateId, refusal: null }
  }
  await open(`/subscriptions/${sold.publicId}`, {}, async (page) => {
    await page.keyboard.press('Tab')
    assert.equal(await focusedText(page), 'Skip to content')
    await page.keyboard.press('Enter')
    await tabTo(page, 'Suspend…')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.type('not paid')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    assert.equal(await focusedText(page), 'Suspend')
    await page.keyboard.press('Enter')
    await page.getByText('! suspended').first().waitFor()
    await tabTo(page, 'Resume')
  })
})

async function focusedText(page: Page): Promise<unknown> {
  return await page.evaluate('document.activeElement.textContent.trim()')
}

async function tabTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await focusedText(page)) === text) return
  }
  throw new Error(`${text} is not reached with the Tab key`)
}

test('everything works without a script: colours, and a cancellation with its effect shown first', async () => {
  const sold = await sell(console.db, { product: 'static-site' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
  console.temporal.updates.length = 0
  console.temporal.behaviour.onUpdate = async (update) =>
    Promise.resolve({ requestId: update.updateId, refusal: null })
  await open(`/subscriptions/${sold.publicId}`, { javaScriptEnabled: false }, async (page) => {
    await page.getByRole('button', { name: 'dark' }).click()
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark')
    assert.match(page.url(), new RegExp(sold.publicId))
    await page.getByRole('link', { name: 'Cancel…' }).click()
    await page.getByRole('radio', { name: /^Now,/ }).check()
    await page.getByLabel('In your own words, for the timeline').fill('moved away')
    await page.getByRole('button', { name: 'Cancel the subscription' }).click()
    await page.waitForURL(`${console.url}/subscriptions/${sold.publicId}`)
    assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [{ when: 'now' }])
    const [sent] = console.temporal.updates
    const note = await console.db
      .selectFrom('command_notes')
      .select('reason')
      .where('request_id', '=', sent?.updateId ?? '')
      .executeTakeFirst()
    assert.equal(note?.reason, 'moved away')
  })
})

test('a printed invoice is the invoice alone', async () => {
  await open(await invoicePath(), {}, async (page) => {
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.getByRole('navigation', { name: 'Console' }).isVisible(), false)
    assert.equal(await page.getByText('All invoices').isVisible(), false)
    assert.equal(await page.getByRole('heading', { level: 1 }).isVisible(), true)
  })
})

test('without a script a setting is saved, and a change is seen before it is made', async () => {
  const sold = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
  console.temporal.updates.length = 0
  console.temporal.behaviour.onUpdate = async (update) =>
    Promise.resolve({ requestId: update.updateId, refusal: null })
  await open('/settings', { javaScriptEnabled: false }, async (page) => {
    await page.getByLabel('Tax is rounded').selectOption('on each line')
    await page.getByRole('button', { name: 'Save Taxes and billing' }).click()
    await page.getByText('Saved.').waitFor()
    assert.equal(await page.getByLabel('Tax is rounded').inputValue(), 'line')

    await page.goto(`${console.url}/subscriptions/${sold.publicId}`)
    await page.getByRole('link', { name: 'More… Email' }).click()
    await page.getByLabel('Quantity, in e-mail account').fill('9')
    await page.getByRole('button', { name: 'Show what it costs' }).click()
    await page.getByText('Nothing has changed yet.').waitFor()
    assert.equal(console.temporal.updates.length, 0)
    await page.getByRole('button', { name: 'Apply the change' }).click()
    await page.waitForURL(`${console.url}/subscriptions/${sold.publicId}`)
    assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [{ kind: 'changePlan', quantity: '9' }])
  })
})
