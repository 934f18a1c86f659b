import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { seedCatalog } from '#test/support/api.ts'
import { changePrice } from '#test/support/product-version.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
  await seedCatalog(console)
})
after(async () => console.close())

test('an order shows its lines as agreed, and placed again it leads to a draft that says what changed', async () => {
  const { body } = await console.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'support', quantity: 2 }],
  })
  const page = `/orders/${String(body['id'])}`
  const { html } = await console.get(page)
  assert.match(sectionText(html, 'lines'), /Support .*10\.00 USD/)
  assert.match(sectionText(html, 'timeline'), /Ordered: Support/)
  await changePrice(console.db, 'support', { unitAmount: '12', effectiveOn: '2020-01-01' })
  const again = await console.submit(page, `${page}/place-again`, {})
  assert.equal(again.status, 303)
  const draft = (await console.get(again.headers.get('location') ?? '')).html
  assert.match(textOf(draft), /draft of Acme/)
  assert.match(sectionText(draft, 'timeline'), /Placed again: support was 10\.00 USD .*, is 12\.00 USD/)
})
