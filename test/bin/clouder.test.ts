import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import test, { after, before } from 'node:test'
import { freePort } from '#bin/platform/ports.ts'
import { listLinesAfter } from '#db/line-change.ts'
import { planWaitingChange } from '#db/waiting-change.ts'
import { setPhase } from '#db/subscription.ts'
import { activate, build, sell, type Sold } from '#test/pages/story.ts'
import { createKey } from '#test/support/api.ts'
import { createClouder, runClouder, type Clouder, type Ran } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

async function sellActive(): Promise<Sold> {
  const sold = await sell(clouder.db, { product: 'set-up' })
  await setPhase(clouder.db, sold.id, { phase: 'building', now: new Date().toISOString() })
  await activate(clouder.db, sold, new Date().toISOString())
  return sold
}

function json(ran: Ran): unknown {
  assert.equal(ran.code, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

async function countSubscriptions(): Promise<number> {
  return (await clouder.db.selectFrom('subscriptions').select('id').execute()).length
}

test('0: help leads with examples and names every exit code', async () => {
  const ran = await clouder.start(['--help']).ended
  assert.equal(ran.code, 0)
  assert.ok(ran.stdout.startsWith('Examples\n'), ran.stdout.slice(0, 80))
  for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 130]) assert.match(ran.stdout, new RegExp(`\\b${code} `))
})

test('every command explains itself with an example', async () => {
  for (const name of ['order', 'subscriptions', 'cancel', 'invoices', 'builds', 'clock', 'usage', 'doctor']) {
    const ran = await clouder.run([name, '--help'])
    assert.equal(ran.code, 0)
    assert.match(ran.stdout, /^Examples?\n {2}npx clouder /)
  }
})

test('piped, a list is plain rows with tabs and nothing else', async () => {
  const ran = await clouder.start(['kits']).ended
  assert.equal(ran.code, 0)
  const rows = ran.stdout.trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => row.split('\t')[0]),
    ['odoo-config-2', 'odoo-config-1'],
  )
  assert.equal(ran.stdout.includes('\u001B'), false)
  assert.equal(ran.stderr, '')
})

test('on a terminal a list has headings, and NO_COLOR takes the colours away', async () => {
  const coloured = await clouder.runOnTerminal(['kits'], '')
  assert.ok(coloured.stdout.includes('\u001B[1mcode'), coloured.stdout)
  assert.match(coloured.stdout, /bill of materials/)
  const plain = await clouder.runOnTerminal(['kits'], '', { NO_COLOR: '1' })
  assert.match(plain.stdout, /bill of materials/)
  assert.equal(plain.stdout.includes('\u001B['), false)
})

test('--json gives JSON on stdout alone, before or after the command', async () => {
  for (const args of [
    ['products', '--json'],
    ['--json', 'products'],
    ['products', 'ls', '--json', '--limit', '100'],
  ]) {
    const products = json(await clouder.run(args)) as { code: string }[]
    assert.ok(products.some(({ code }) => code === 'static-site'))
  }
})

test('a dry run shows prices and build steps and sells nothing', async () => {
  const before = await countSubscriptions()
  const ran = await clouder.run(['order', 'odoo-config-1', '--customer', 'harbour-bakery', '--dry-run'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stdout, /Odoo User\t5\tuser\t1/)
  assert.match(ran.stdout, /every month\t10\.00 USD/)
  assert.match(ran.stdout, /Container web/)
  assert.equal(await countSubscriptions(), before)
})

test('an order answers with its subscription and the next command', async () => {
  const ran = await clouder.run(['order', 'odoo-config-2', '--customer', 'harbour-bakery'])
  assert.equal(ran.code, 0, ran.stderr)
  const [id = ''] = ran.stdout.split('\t')
  assert.match(id, /^sub_/)
  assert.match(ran.stderr, new RegExp(`Next {2}npx clouder builds watch ${id}`))
  const detail = json(await clouder.run(['subscriptions', 'show', id, '--json'])) as { order: string }
  const order = (await clouder.get(`/v1/orders/${detail.order}`)).body
  assert.equal(order['channel'], 'command_line')
})

test('subscriptions are listed by phase and customer', async () => {
  const sold = await sellActive()
  const active = ['subscriptions', '--phase', 'active', '--customer', 'harbour-bakery', '--json']
  const rows = json(await clouder.run(active)) as { id: string; phase: string }[]
  assert.ok(rows.some(({ id }) => id === sold.publicId))
  assert.ok(rows.every(({ phase }) => phase === 'active'))
})

test('an invoice is listed and shown with its lines', async () => {
  const sold = await sellActive()
  const list = json(await clouder.run(['invoices', '--subscription', sold.publicId, '--json']))
  const [invoice] = list as { id: string; number: string }[]
  const shown = await clouder.run(['invoices', 'show', invoice?.id ?? ''])
  assert.equal(shown.code, 0)
  assert.match(shown.stdout, /Set-up\t1 piece\t20\t.*20\.00 USD/)
  assert.match(shown.stdout, new RegExp(`number\t${invoice?.number}`))
})

test('a cancellation goes to the workflow with its reason, and says how to take it back or follow it', async () => {
  const sold = await sellActive()
  const ran = await clouder.run(['cancel', sold.publicId, '--reason', 'Moved away.'])
  assert.equal(ran.code, 0, ran.stderr)
  const update = clouder.temporal.updates.at(-1)
  assert.equal(update?.workflowId, `subscription/${sold.publicId}`)
  assert.partialDeepStrictEqual(update?.args, [{ kind: 'cancel', when: 'period_end' }])
  const note = await clouder.db
    .selectFrom('command_notes')
    .select('reason')
    .where('request_id', '=', update?.updateId ?? '')
    .executeTakeFirst()
  assert.equal(note?.reason, 'Moved away.')
  assert.match(ran.stderr, /Next {2}npx clouder /)
})

test('a quantity is changed by the product’s name', async () => {
  const sold = await sellActive()
  const ran = await clouder.run(['subscriptions', 'change', sold.publicId, 'set-up', '2'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.partialDeepStrictEqual(clouder.temporal.updates.at(-1)?.args, [
    { kind: 'changePlan', quantity: '2' },
  ])
})

test('less than is used waits where that is asked, is shown with its numbers, and is withdrawn', async () => {
  const sold = await sell(clouder.db, { kit: 'odoo-config-1' })
  await build(clouder.db, sold, 'done')
  await activate(clouder.db, sold, new Date().toISOString())
  const changed = ['subscriptions', 'change', sold.publicId, 'odoo-user', '3', '--when-it-fits']
  assert.equal((await clouder.run(changed)).code, 0)
  const note = await clouder.db
    .selectFrom('command_notes')
    .select('asked')
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(note.asked, { plan: { belowUse: 'plan' } })
  // As its workflow does where more is used.
  const [line] = await listLinesAfter(clouder.db, sold.id, '2026-01-01')
  const key = { subscriptionId: sold.id, requestId: 'waits', actor: 'test', now: new Date().toISOString() }
  const change = { subscriptionLineId: line?.id ?? '', quantity: '3' }
  await planWaitingChange(clouder.db, key, { change, used: '5', changeRequestId: undefined })
  const { stdout } = await clouder.run(['subscriptions', 'show', sold.publicId])
  const [, id = ''] =
    /waits\t(wch_\w+): odoo-user from 5 to 3, once 3 of users or fewer are used/.exec(stdout) ?? []
  assert.equal((await clouder.run(['subscriptions', 'withdraw-change', sold.publicId, id])).code, 0)
  const asked = { kind: 'withdrawChange', waitingChangeId: id }
  assert.partialDeepStrictEqual(clouder.temporal.updates.at(-1)?.args, [asked])
})

test('1: an answer that is not yes leaves the subscription alone', async () => {
  const sold = await sellActive()
  const before = clouder.temporal.updates.length
  const ran = await clouder.runOnTerminal(['cancel', sold.publicId, '--now'], 'n\n')
  assert.equal(ran.code, 1, ran.stdout)
  assert.match(ran.stdout, /Set-up of Harbour Bakery ends now.*\[y\/N\]/)
  assert.match(ran.stdout, /Nothing was changed/)
  assert.equal(clouder.temporal.updates.length, before)
})

test('130: Ctrl-C at the question leaves the subscription alone, and so does the end of the input', async () => {
  const sold = await sellActive()
  const before = clouder.temporal.updates.length
  const interrupted = await clouder.runOnTerminal(['cancel', sold.publicId, '--now'], '\u0003')
  assert.equal(interrupted.code, 130, interrupted.stdout)
  const closed = await clouder.runOnTerminal(['cancel', sold.publicId, '--now'], '\u0004')
  assert.equal(closed.code, 1, closed.stdout)
  assert.equal(clouder.temporal.updates.length, before)
})

test('a person who says yes is believed, without --force', async () => {
  const sold = await sellActive()
  const ran = await clouder.runOnTerminal(['cancel', sold.publicId, '--now'], 'y\n')
  assert.equal(ran.code, 0, ran.stdout)
  assert.partialDeepStrictEqual(clouder.temporal.updates.at(-1)?.args, [{ kind: 'cancel', when: 'now' }])
})

test('2: without a terminal nobody is asked: the flag is named and nothing happens', async () => {
  const sold = await sellActive()
  const before = clouder.temporal.updates.length
  const ran = await clouder.run(['cancel', sold.publicId, '--now'])
  assert.equal(ran.code, 2)
  assert.match(ran.stderr, /Add --force/)
  assert.equal(ran.stdout, '')
  assert.equal(clouder.temporal.updates.length, before)
  assert.equal((await clouder.run(['cancel', sold.publicId, '--now', '--force'])).code, 0)
})

test('2: bad usage is refused with a suggestion', async () => {
  const cases: [string[], RegExp][] = [
    [['odrer'], /Did you mean order\?/],
    [['subscriptions', 'shwo'], /Did you mean show\?/],
    [['products', '--jsno'], /Did you mean --json\?/],
    [['subscriptions', '--phase', 'activ'], /Allowed choices are ordered, building/],
    [['order', 'static-site'], /--customer/],
    [['invoices', '--limit', '0'], /whole number from 1/],
  ]
  for (const [args, told] of cases) {
    const ran = await clouder.run(args)
    assert.equal(ran.code, 2, args.join(' '))
    assert.match(ran.stderr, told)
    assert.equal(ran.stdout, '')
  }
})

test('2: a quantity that the API refuses is told with field, link, request id and what helps', async () => {
  const ran = await clouder.run(['order', 'static-site', '--customer', 'harbour-bakery', '--quantity', '-1'])
  assert.equal(ran.code, 2)
  const lines = ran.stderr.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /request +req_[0-9a-f]{32}/)
  assert.match(lines[1] ?? '', /more +http:.*\/docs\/errors\/quantity_invalid/)
  assert.match(lines[2] ?? '', /error /)
  assert.match(lines.at(-1) ?? '', /what helps +Use a number above 0\./)
})

test('with --json an error is one line of JSON on stderr', async () => {
  const ran = await clouder.start(['invoices', 'show', 'inv_00000000000000000000000000', '--json']).ended
  assert.equal(ran.code, 3)
  assert.equal(ran.stdout, '')
  assert.partialDeepStrictEqual(JSON.parse(ran.stderr), {
    error: { exit_code: 3, problem: { code: 'not_found', status: 404 } },
  })
})

test('3: what is not there is not found, with the nearest name there is', async () => {
  const cases: [string[], RegExp][] = [
    [['order', 'static-sit', '--customer', 'harbour-bakery'], /Did you mean static-site\?/],
    [['order', 'static-site', '--customer', 'nobody'], /There is no customer nobody/],
    [['subscriptions', 'show', 'sub_01kb0000000000000000000000'], /There is no subscription/],
    [['clock', '--clock', 'autumn'], /There is no test clock autumn/],
    [['builds', 'watch', 'bo_01kb0000000000000000000000'], /There is no build order/],
  ]
  for (const [args, told] of cases) {
    const ran = await clouder.run(args)
    assert.equal(ran.code, 3, `${args.join(' ')}: ${ran.stderr}`)
    assert.match(ran.stderr, told)
  }
})

test('4: a key that is wrong, that may not, or that is missing is not allowed', async () => {
  const reader = await createKey(clouder.db, ['subscriptions:read'])
  const wrong = await clouder.run(['products'], { CLOUDER_API_KEY: 'ck_live_wrong' })
  const reading = await clouder.run(['products'], { CLOUDER_API_KEY: reader })
  const missing = await clouder.start(['products'], { CLOUDER_API_KEY: '' }).ended
  assert.deepEqual([wrong.code, reading.code, missing.code], [4, 4, 4])
  assert.match(wrong.stderr, /docs\/errors\/key_invalid/)
  assert.match(reading.stderr, /products:read/)
  assert.match(missing.stderr, /CLOUDER_API_KEY/)
})

test('5: what the phase does not allow is a conflict that says what is possible', async () => {
  const sold = await sellActive()
  const ran = await clouder.start(['subscriptions', 'resume', sold.publicId]).ended
  assert.equal(ran.code, 5)
  assert.match(ran.stderr, /Possible now: .*suspend/)
})

test('6: a server that does not answer, is no Clouder, or was never started cannot be reached', async (t) => {
  const closed = await clouder.start(['products'], {
    CLOUDER_API_URL: `http://127.0.0.1:${await freePort()}`,
  }).ended
  const other = createServer((_req, res) => res.end('<html>')).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  assert.ok(address !== null && typeof address === 'object')
  const foreign = await clouder.run(['products'], { CLOUDER_API_URL: `http://127.0.0.1:${address.port}` })
  const never = await runClouder(['products'], { CLOUDER_DATA: clouder.folder })
  assert.deepEqual([closed.code, foreign.code, never.code], [6, 6, 6])
  assert.match(closed.stderr, /does not answer .*ECONNREFUSED/)
  assert.match(foreign.stderr, /is not Clouder’s API/)
  assert.match(never.stderr, /npm start/)
})

test('6: a workflow engine that does not answer is out of reach, too', async (t) => {
  const sold = await sellActive()
  const { onUpdate } = clouder.temporal.behaviour
  t.after(() => {
    clouder.temporal.behaviour.onUpdate = onUpdate
  })
  const { WorkflowNotFoundError } = await import('@temporalio/client')
  clouder.temporal.behaviour.onUpdate = async (update) =>
    Promise.reject(new WorkflowNotFoundError('no such workflow', update.workflowId, undefined))
  assert.equal((await clouder.run(['subscriptions', 'suspend', sold.publicId])).code, 6)
})

test('what a customer asked for is asked, listed, refused and shown', async () => {
  const sold = await sellActiveStatic()
  const asked = await clouder.run(['subscriptions', 'ask', sold.publicId, 'static-site', '--quantity', '2', '--message', 'More.', '--json']) // prettier-ignore
  const { id, mode, preview } = json(asked) as { id: string; mode: string; preview: { to: string } }
  assert.deepEqual([mode, preview.to], ['automatic', '2'])
  assert.equal(clouder.temporal.updates.at(-1)?.name, 'changePlan')
  const listed = await clouder.run(['change-requests', '--subscription', sold.publicId])
  assert.match(listed.stdout, new RegExp(`^${id}\t${sold.publicId}\tstatic-site from 1 to 2\t`))
  const refused = await clouder.run(['change-requests', 'refuse', id, '--reason', 'Not yet.'])
  assert.equal(refused.code, 0, refused.stderr)
  const shown = await clouder.run(['change-requests', 'show', id])
  assert.match(shown.stdout, /^state\trefused$/m)
  assert.match(shown.stdout, /^refused because\tNot yet\.$/m)
  assert.equal((await clouder.run(['change-requests', 'apply', id])).code, 5)
})

async function sellActiveStatic(): Promise<Sold> {
  const sold = await sell(clouder.db, { product: 'static-site' })
  await setPhase(clouder.db, sold.id, { phase: 'building', now: new Date().toISOString() })
  await activate(clouder.db, sold, new Date().toISOString())
  return sold
}
