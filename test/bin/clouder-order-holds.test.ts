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

/** Nothing is sold at such a price without a look. */
async function heldOrder(): Promise<string> {
  const ran = await clouder.run(['order', 'static-site', '--customer', 'north-clinic'])
  assert.match(ran.stderr, /Not built yet: waiting for the mail address to be verified/)
  return /ord_[0-9a-z]{26}/.exec(ran.stderr)?.[0] ?? assert.fail('no order was told')
}

test('an order that waits is shown with what it waits for, and is cancelled with a reason', async () => {
  await done(['seller', 'set', '--mail-verification', 'always', '--unpaid-order-days', '7'])
  assert.match(await done(['seller']), /unpaid orders\s+expire after 7 days/)
  const order = await heldOrder()
  assert.match(await done(['orders', 'waits', order]), /waits for\s+waiting for the mail address/)
  const refused = await clouder.run(['orders', 'accept', order])
  assert.equal(refused.code, 5, refused.stderr)
  const unasked = await clouder.run(['orders', 'paid', order])
  assert.equal(unasked.code, 2, unasked.stderr)
  const cancelled = await done(['orders', 'cancel', order, '--reason', 'changed my mind'])
  assert.match(cancelled, /\tcancelled\t/)
  assert.match(await done(['orders', 'waits', order]), /withdrawn: changed my mind/)
  await done(['seller', 'set', '--mail-verification', 'shop', '--unpaid-order-days', '14'])
})
