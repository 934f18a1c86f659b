import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { settleTestClock } from '#db/test-clock-step.ts'
import { setParked } from '#db/subscription.ts'
import { decodeId } from '#domain/identifier.ts'
import { activate, billNextPeriod, build, failure, sell, type Sold } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'
import type { StartedWorkflow } from '#test/support/fake-temporal.ts'
import { untilEventsAreListed } from '#test/support/settled-events.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

/** What the fake Temporal does with the next workflow of a type: the rows change as the real workflow would change them. */
function onNext(type: string, carryOut: (workflow: StartedWorkflow) => Promise<void>): void {
  clouder.temporal.behaviour.onStart = async (workflow) => {
    if (workflow.type !== type) return
    clouder.temporal.behaviour.onStart = () => Promise.resolve()
    await carryOut(workflow)
  }
}

function soldBy(workflow: StartedWorkflow): Sold {
  const publicId = workflow.workflowId.replace('subscription/', '')
  return { publicId, id: decodeId('subscription', publicId) }
}

const order = ['order', 'odoo-config-2', '--customer', 'harbour-bakery', '--watch']

test('--watch prints each step with its seconds and ends with the address and the next command', async () => {
  onNext('subscription', async (workflow) => {
    await build(clouder.db, soldBy(workflow), 'done')
    await activate(clouder.db, soldBy(workflow), new Date().toISOString())
  })
  const ran = await clouder.run(order)
  assert.equal(ran.code, 0, ran.stderr)
  const steps = ran.stderr.split('\n').filter((line) => line.startsWith('  ✓'))
  assert.equal(steps.length, 5)
  for (const step of steps) assert.match(step, /✓ .+ \d+\.\d s$/)
  assert.match(ran.stdout, /^phase\tactive$/m)
  assert.match(ran.stdout, /^address\thttp:\/\/\S+:\d+\/$/m)
  assert.match(ran.stderr, /Next {2}npx clouder subscriptions show sub_/)
})

test('--watch --json keeps stdout for the order and its subscriptions', async () => {
  onNext('subscription', async (workflow) => {
    await build(clouder.db, soldBy(workflow), 'done')
    await activate(clouder.db, soldBy(workflow), new Date().toISOString())
  })
  const ran = await clouder.run([...order, '--json'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.partialDeepStrictEqual(JSON.parse(ran.stdout), {
    order: { channel: 'command_line' },
    subscriptions: [{ phase: 'active' }],
  })
})

test('on a terminal the last line says what is waited for, and goes when the step is done', async () => {
  onNext('subscription', async (workflow) => {
    await build(clouder.db, soldBy(workflow), { runningStep: 2 })
    setTimeout(() => {
      void build(clouder.db, soldBy(workflow), 'done').then(async () =>
        activate(clouder.db, soldBy(workflow), new Date().toISOString()),
      )
    }, 3_000)
  })
  const ran = await clouder.runOnTerminal(order, '')
  assert.equal(ran.code, 0, ran.stdout)
  assert.match(ran.stdout, /… Image .*\(\d s\)/)
  assert.match(ran.stdout, /✓ Image /)
})

test('7: a build that failed and was undone tells why, and where the task and the retry are', async () => {
  onNext(
    'subscription',
    async (workflow) => void (await build(clouder.db, soldBy(workflow), { failedStep: 2 })),
  )
  const ran = await clouder.run(order)
  assert.equal(ran.code, 7, ran.stderr)
  assert.ok(ran.stderr.includes(`failed: ${failure.detail}`), ran.stderr)
  assert.match(ran.stdout, /^phase\tbuilding, parked$/m)
  assert.match(ran.stderr, /npx clouder tasks .*npx clouder builds retry bo_/)
  const tasks = await clouder.run(['tasks'])
  assert.match(tasks.stdout, /Odoo Config 1 could not be built/)
})

test('130: Ctrl-C leaves the build running and says how to come back', async () => {
  const sold = await sell(clouder.db, { kit: 'odoo-config-2' })
  const { buildOrderId } = await build(clouder.db, sold, { runningStep: 2 })
  const watching = clouder.start(['builds', 'watch', sold.publicId])
  await watching.said('✓ Volume')
  watching.child.kill('SIGINT')
  const ran = await watching.ended
  assert.equal(ran.code, 130, ran.stderr)
  assert.match(ran.stderr, new RegExp(`goes on without you.*npx clouder builds watch ${sold.publicId}`))
  const row = await clouder.db
    .selectFrom('build_orders')
    .select('state')
    .where('id', '=', buildOrderId)
    .executeTakeFirstOrThrow()
  assert.equal(row.state, 'running')
  assert.deepEqual(clouder.temporal.updates, [])
})

test('a watch that comes back sees the steps before and goes on to the end', async () => {
  const sold = await sell(clouder.db, { kit: 'odoo-config-2' })
  await build(clouder.db, sold, { runningStep: 2 })
  const watching = clouder.start(['builds', 'watch', sold.publicId])
  await watching.said('✓ Volume')
  await build(clouder.db, sold, 'done')
  await activate(clouder.db, sold, new Date().toISOString())
  const ran = await watching.ended
  assert.equal(ran.code, 0, ran.stderr)
  assert.equal(ran.stderr.split('✓ Volume').length, 2, 'no step is told twice')
})

/** A month after the clock's beginning. */
const target = '2026-02-28T09:00:00Z'

async function sellOnClock(): Promise<{ sold: Sold; clock: string; clockId: string }> {
  const now = '2026-01-31T09:00:00Z'
  const sold = await sell(clouder.db, { kit: 'odoo-config-2' }, { isOnClock: true, now })
  await build(clouder.db, sold, 'done')
  await activate(clouder.db, sold, now)
  const { test_clock: clock } = (await clouder.get(`/v1/subscriptions/${sold.publicId}`)).body
  assert.ok(typeof clock === 'string')
  // What was done so far is none of what is followed.
  await untilEventsAreListed(clouder.db)
  return { sold, clock, clockId: decodeId('testClock', clock) }
}

test('a clock is followed until it stands, and its invoices are told', async () => {
  const { sold, clock, clockId } = await sellOnClock()
  onNext('testClock', async () => {
    await billNextPeriod(clouder.db, sold, target)
    await settleTestClock(clouder.db, clockId, target)
  })
  const ran = await clouder.run(['clock', 'advance', '1mo', '--clock', clock])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /2026-01-31 09:00 UTC → 2026-02-28 09:00 UTC/)
  assert.match(ran.stderr, /invoice TEST\S+ {2}10\.00 USD {2}Harbour Bakery/)
  assert.match(ran.stdout, /^invoices\t1$/m)
})

test('7: a clock on which something is parked has finished with a warning', async () => {
  const { sold, clock, clockId } = await sellOnClock()
  onNext('testClock', async () => {
    await setParked(clouder.db, sold.id, { reason: 'price_missing', now: target })
    await settleTestClock(clouder.db, clockId, target)
  })
  const ran = await clouder.run(['clock', 'advance', '1mo', '--clock', clock, '--json'])
  assert.equal(ran.code, 7, ran.stderr)
  assert.partialDeepStrictEqual(JSON.parse(ran.stdout), { parked: [sold.publicId], invoices: [] })
})

test('2: a clock goes on only, and one of several must be named', async () => {
  const { clock } = await sellOnClock()
  const back = await clouder.run(['clock', 'set', '2020-01-01T00:00:00Z', '--clock', clock])
  assert.equal(back.code, 2)
  assert.match(back.stderr, /docs\/errors\/clock_backwards/)
  await clouder.run(['clock', 'create', 'other', '--now', '2026-01-01T00:00:00Z'])
  const unnamed = await clouder.run(['clock', 'advance', '1mo'])
  assert.equal(unnamed.code, 2)
  assert.match(unnamed.stderr, /several/)
})

test('130: Ctrl-C leaves the clock moving', async () => {
  const { clock } = await sellOnClock()
  const moving = clouder.start(['clock', 'advance', '1mo', '--clock', clock])
  await moving.said('→')
  // Interrupted at any moment from here on; a little later it follows already.
  await new Promise((resolve) => setTimeout(resolve, 500))
  moving.child.kill('SIGINT')
  const ran = await moving.ended
  assert.equal(ran.code, 130, ran.stderr)
  assert.match(ran.stderr, /The clock goes on without you.*npx clouder clock show/)
})

test('usage pushed twice under one id counts once; then it is shown', async () => {
  const sold = await sell(clouder.db, { kit: 'odoo-config-1' })
  await build(clouder.db, sold, 'done')
  await activate(clouder.db, sold, new Date().toISOString())
  const at = new Date().toISOString()
  const push = ['usage', 'push', '--subscription', sold.publicId, '--metric', 'network', '--quantity', '3']
  const first = await clouder.run([...push, '--id', 'a', '--at', at])
  const second = await clouder.run([...push, '--id', 'a', '--at', at])
  assert.match(first.stdout, /^stored\t/, first.stderr)
  assert.match(second.stdout, /^duplicate\t/)
  const shown = await clouder.run(['usage', 'show', sold.publicId])
  assert.equal(shown.code, 0)
  assert.match(shown.stdout, /^network\tnot billed yet\t/m)
})
