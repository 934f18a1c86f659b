import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { WorkflowHandle } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { chromium } from 'playwright-core'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const handle = (workflowId: string) => installation.client.workflow.getHandle(workflowId)

type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number]

async function eventsOf(workflowId: string): Promise<Event[]> {
  return (await handle(workflowId).fetchHistory()).events ?? []
}

/** What a person reads on each activity and timer of the event list, in order. */
function summariesOf(events: readonly Event[]): string[] {
  return events
    .filter((event) => event.activityTaskScheduledEventAttributes ?? event.timerStartedEventAttributes)
    .map((event) =>
      event.userMetadata?.summary
        ? defaultPayloadConverter.fromPayload<string>(event.userMetadata.summary)
        : 'no summary',
    )
}

chapter('a subscription is found in Temporal’s list by phase, customer, product and server', async () => {
  subscription = await diary.order([{ kit: 'odoo-config-1' }])
  const active = await diary.untilPhase(subscription, 'active')
  const customer = (active['customer'] as Json)['id']
  const query = `WorkflowType="subscription" AND Phase="active" AND Customer="${String(customer)}" AND Server="${installation.serverId}"`
  const found = await until('the list shows it', async () => {
    for await (const workflow of installation.client.workflow.list({ query })) return workflow
    return undefined
  })
  assert.equal(found.workflowId, `subscription/${subscription}`)
})

chapter(
  'its attributes, summary and details tell who bought what, and when the next invoice is due',
  async () => {
    const description = await until('the next invoice date is told', async () => {
      const seen = await handle(`subscription/${subscription}`).describe()
      return 'NextInvoiceDate' in seen.searchAttributes && seen
    })
    const names = Object.keys(description.searchAttributes)
    for (const name of ['Customer', 'Product', 'Phase', 'Server', 'NextInvoiceDate'])
      assert.ok(names.includes(name), name)
    assert.match((await description.staticSummary()) ?? '', /^Odoo Config 1 for cus_/)
    assert.match((await description.staticDetails()) ?? '', /Network Usage: 1\.00 USD per GiB/)
  },
)

chapter(
  'its current details are a table with phase, next invoice, last invoices and a link to the console',
  async () => {
    const metadata = await until('the last invoice is told', async () => {
      const seen = await handle(`subscription/${subscription}`).query<{ currentDetails?: string }>(
        '__temporal_workflow_metadata',
      )
      return seen.currentDetails?.includes('INV-00001') ? seen : undefined
    })
    const details = metadata.currentDetails ?? ''
    assert.match(details, /\| phase \| active \|/)
    assert.match(details, /\| next invoice \| \d{4}-\d\d-\d\d, period 1 \|/)
    assert.match(details, /\| last invoices \| INV-00001 \|/)
    assert.match(details, new RegExp(`\\(http://127\\.0\\.0\\.1:4400/subscriptions/${subscription}\\)`))
  },
)

chapter('the event list reads like the contract: every activity and timer has a summary', async () => {
  const events = await until('it sleeps until the next period', async () => {
    const seen = await eventsOf(`subscription/${subscription}`)
    return seen.some((event) => event.timerStartedEventAttributes) && seen
  })
  assert.deepEqual(summariesOf(events), [
    'read the subscription',
    'plan the build',
    'which limits are sold',
    'limit users is 5',
    'limit emails is 5',
    'opening reading',
    'begin recurrence',
    'first bill',
    'read what is due',
    'until period 1 is due, or something is asked',
  ])
})

chapter('the build is a workflow of its own that tells every step', async () => {
  const [build] = await diary.list(`/v1/builds?subscription=${subscription}`)
  const events = await eventsOf(`build/${String(build?.['id'])}`)
  const summaries = summariesOf(events)
  assert.equal(summaries.at(-1), 'everything runs')
  assert.deepEqual(
    summaries.slice(0, -1).map((summary) => summary.replace(/ (environment|clouder\/demo-odoo).*/, '')),
    [
      '1/5 Network of',
      '2/5 Volume data',
      '3/5 Image',
      '4/5 Container web',
      '5/5 Ready: /cgi-bin/health answers',
    ],
  )
})

chapter('no history holds a name, a mail address or a price list of the customer: ids only', async () => {
  const customer = await installation.db
    .selectFrom('customers')
    .selectAll()
    .where('code', '=', 'harbour-bakery')
    .executeTakeFirstOrThrow()
  const [build] = await diary.list(`/v1/builds?subscription=${subscription}`)
  for (const workflowId of [`subscription/${subscription}`, `build/${String(build?.['id'])}`]) {
    const events = await eventsOf(workflowId)
    const text = JSON.stringify(events, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    )
    for (const personal of [customer.name, customer.email, customer.address])
      assert.ok(personal && !text.includes(personal), personal ?? 'nothing')
  }
})

chapter('Temporal’s own page shows the story without our console', async () => {
  const browser = await chromium.launch({
    executablePath: process.env['CLOUDER_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  try {
    const page = await browser.newPage()
    const ui = process.env['CLOUDER_TEST_TEMPORAL_UI_URL'] ?? ''
    const address = `${ui}/namespaces/default/workflows/${encodeURIComponent(`subscription/${subscription}`)}`
    // The page is not ours, and now and then it loads no events on a busy machine: then it is opened again.
    const text = await until(
      'the page lists the events',
      async () => {
        await page.goto(address)
        await page
          .getByText('first bill')
          .first()
          .waitFor({ timeout: 20_000 })
          .catch(() => {})
        const seen = await page.locator('body').innerText()
        return seen.includes('first bill') && seen
      },
      90_000,
    )
    assert.match(text, /until period 1 is due/)
  } finally {
    await browser.close()
  }
})
