import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { keepPeerAnswer, readPeerQuestion, refusePeerQuestion } from '#db/peer-question.ts'
import { encodeId } from '#domain/identifier.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'
import { insertPeer } from '#test/support/peer.ts'
import { makePeerKey, pinPeerKey, type TestPeerKey } from '#test/support/peer-message.ts'

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

/** One in sixty-four begins as an option does. */
function makeDashedKey(): TestPeerKey {
  let key = makePeerKey()
  while (!key.id.startsWith('-')) key = makePeerKey()
  return key
}

test('keys of a peer are made, revoked and pinned at the terminal, and all are listed', async () => {
  const peerId = await insertPeer(clouder.db)
  const theirs = await pinPeerKey(clouder.db, peerId, makeDashedKey())
  const peer = encodeId('peer', peerId)
  assert.match(await done(['peers', 'keys', peer]), new RegExp(`theirs\\t${theirs.id}\\t`))
  assert.match(await done(['peers', 'rotate-key', peer]), /ours\t\S{43}\ttold, not taken yet\t/)
  const again = await clouder.run(['peers', 'rotate-key', peer])
  assert.equal(again.code, 5, again.stderr)
  assert.match(again.stderr, /has not taken our last key yet/)
  assert.match(
    await done(['peers', 'revoke-key', peer, '--key', theirs.id]),
    new RegExp(`${theirs.id}\\t[^\\t]+\\trevoked `),
  )
  const next = makePeerKey()
  const pinned = await done(['peers', 'pin-key', peer, '--key', next.publicKey.toString('base64url')])
  assert.match(pinned, new RegExp(`theirs\\t${next.id}\\t`))
})

test('a day that is empty, and a file that is not there, are named with their option before anything is asked', async () => {
  const empty = await clouder.run(['peers', 'verify', '--from', ''])
  assert.equal(empty.code, 2, empty.stderr)
  assert.match(empty.stderr, /--from needs a day/)
  const login = ['--host', 'db.example.com', '--port', '5432', '--user', 'reader', '--database', 'shop']
  const source = ['data-sources', 'add', 'shop', '--kind', 'postgresql', ...login]
  const missing = await clouder.run([...source, '--authority', 'nofile.pem'])
  assert.equal(missing.code, 2, missing.stderr)
  assert.match(missing.stderr, /nofile\.pem cannot be read/)
})

test('of all peers one that gives no answer is told as such, and the others are compared', async () => {
  const [away, here] = [await insertPeer(clouder.db), await insertPeer(clouder.db)]
  clouder.temporal.behaviour.onExecute = async ({ args: [input] }) => {
    const { questionId } = input as { questionId: string }
    const now = new Date().toISOString()
    const { peerId } = await readPeerQuestion(clouder.db, questionId)
    if (peerId === here) {
      const answer = { isEqual: true, ours: [], theirs: [], differences: [] }
      const evidence = { url: 'https://upstream.example.com', headers: {}, body: '' }
      await keepPeerAnswer(clouder.db, questionId, { answer, evidence, now })
    } else await refusePeerQuestion(clouder.db, questionId, { code: 'peer_unreachable', detail: 'away', now })
  }
  const verified = await clouder.run(['peers', 'verify'])
  assert.equal(verified.code, 7, verified.stderr)
  const found = (id: string) =>
    verified.stdout.split('\n').find((row) => row.startsWith(`${encodeId('peer', id)}\t`))
  assert.match(String(found(away)), /\tno answer: peer_unreachable$/)
  assert.match(String(found(here)), /\tequal$/)
})
