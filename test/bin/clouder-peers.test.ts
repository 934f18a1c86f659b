import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { noteUnanswered } from '#db/peer-silence.ts'
import { receiveMappings } from '#db/told-mapping.ts'
import { encodeId } from '#domain/identifier.ts'
import { writeInvitation } from '#domain/peer.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'
import { insertPeer } from '#test/support/peer.ts'

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

test('an invitation is made and accepted at the terminal', async () => {
  const made = await done(['peers', 'invite', '--supplier'])
  assert.match(made, /npx clouder peers accept peer-invitation\.customer\./)
  const invitation = writeInvitation({
    url: 'http://127.0.0.1:1',
    peer: 'peer_01kb0000000000000000000001',
    role: 'supplier',
    code: 'a-code',
  })
  assert.match(await done(['peers', 'accept', invitation]), /state\taccepting/)
  const again = JSON.parse(await done(['peers', '--json'])) as { state: string }[]
  assert.deepEqual(
    again.map(({ state }) => state),
    ['accepting', 'invited'],
  )
})

test('a peer says at the terminal who bills whom, as which customer and in which currency (G-01)', async () => {
  const id = encodeId('peer', await insertPeer(clouder.db, { billed_as: 'downstream' }))
  const shown = await done(['peers', 'show', id])
  assert.match(shown, /customer\tdownstream\ncurrency\tUSD\n/)
  assert.match(await done(['peers']), /Upstream\tsupplier\tdownstream\tUSD\tactive/)
})

test('an accepted invitation that leads to nothing says why at the terminal', async () => {
  const never = { installation_id: null, paired_at: null, name: null }
  const peerId = await insertPeer(clouder.db, { ...never, state: 'accepting' })
  await noteUnanswered(clouder.db, peerId, 'invitation_expired: too late. Close the peer.')
  const told = /\taccepting: invitation_expired: too late\. Close the peer\./
  assert.match(await done(['peers']), told)
  assert.match(await done(['peers', 'show', encodeId('peer', peerId)]), told)
})

test('as what a customer counts our products is shown at the terminal (G-01)', async () => {
  const peerId = await insertPeer(clouder.db, { name: 'Counting', role: 'customer' })
  const id = encodeId('peer', peerId)
  assert.doesNotMatch(await done(['peers', 'show', id]), /server-l/)
  const mappings = [{ product_code: 'server-l', category: { code: 'hosting', name: 'Web hosting' } }]
  const told = { total: 2, mappings }
  const now = new Date().toISOString()
  await clouder.db.transaction().execute(async (tx) => await receiveMappings(tx, { peerId, told, now }))
  const ran = await clouder.run(['peers', 'show', id])
  assert.match(ran.stdout, /server-l\thosting\tWeb hosting\n$/)
  assert.match(ran.stderr, /And 1 more/)
  const read = JSON.parse(await done(['peers', 'show', id, '--json'])) as { expense_mappings: object }
  assert.deepEqual(read.expense_mappings, { told_at: now, ...told })
})

test('an expense category is added at the terminal', async () => {
  const ran = await clouder.run(['expense-categories', 'add', 'hosting', '--name', 'Hosting'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /Hosting: exp_/)
})

test('what is agreed of a supplier’s lines and taxes is said and shown at the terminal (G-09)', async () => {
  await done(['suppliers', 'add', 'power', '--name', 'Power', '--currency', 'EUR'])
  await done(['expense-categories', 'add', 'energy', '--name', 'Energy', '--account', '6100'])
  await done(['suppliers', 'map', 'power', '--product', 'mains', '--category', 'energy'])
  await done(['suppliers', 'pays-for', 'power', '--product', 'mains', '--server', 'local'])
  const mapTax = ['suppliers', 'map-tax', 'power', '--category', 'standard', '--rate', '19']
  assert.match(await done([...mapTax, '--code', 'V19']), /standard\t19\tV19\n/)
  const shown = await done(['suppliers', 'show', 'power'])
  assert.match(shown, /currency\tEUR\n/)
  for (const row of [/mains\t\S*\tEnergy\n/, /standard\t19\tV19\n/, /product_code\tmains\tserver\t/])
    assert.match(shown, row)
  assert.doesNotMatch(await done(mapTax), /V19/)
})
