import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { noteRefusal } from '#db/peer-refusal.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertPeer } from '#test/support/peer.ts'
import { makePeerKey, pinPeerKey } from '#test/support/peer-message.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
})
after(async () => console.close())

test('the keys of a peer are made, revoked and pinned on its page, which shows all there ever were', async () => {
  const peerId = await insertPeer(console.db, { name: 'Keyed' })
  const theirs = await pinPeerKey(console.db, peerId)
  const path = `/settings/peers/${encodeId('peer', peerId)}/keys`
  const list = await console.get('/settings/peers')
  assert.ok(list.html.includes(`href="${path}"`))

  const page = await console.get(path)
  assert.match(page.html, /<a href="\/settings\/peers">← Peers<\/a>/)
  assert.match(sectionText(page.html, 'keys'), /Revoke… What it signs is refused from now on/)

  assert.equal((await console.submit(path, `${path}/rotate`)).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'keys'), /ours .* told, not taken yet/)
  const again = await console.submit(path, `${path}/rotate`)
  assert.equal(again.status, 422)
  assert.match(sectionText(again.html, 'keys'), /has not taken our last key yet/)

  const form = { fingerprint: theirs.id }
  assert.equal((await console.submit(path, `${path}/revoke`, form)).status, 303)
  assert.match(sectionText((await console.get(path)).html, 'keys'), new RegExp(`${theirs.id} .* revoked`))

  const pinned = await console.submit(path, `${path}/pin`, {
    public_key: theirs.publicKey.toString('base64url'),
  })
  assert.match(sectionText(pinned.html, 'pin'), /A revoked one stays revoked/)
  const odd = await console.submit(path, `${path}/pin`, { public_key: 'short' })
  assert.equal(odd.status, 422)
  const next = makePeerKey()
  const other = { public_key: next.publicKey.toString('base64url') }
  assert.equal((await console.submit(path, `${path}/pin`, other)).status, 303)
  const text = sectionText((await console.get(path)).html, 'keys')
  assert.ok(text.includes(next.id) && text.includes(theirs.id))
})

test('what was refused of a peer stands there by cause, with how often', async () => {
  const peerId = await insertPeer(console.db, { name: 'Refused' })
  const error = new BusinessError('peer_message_expired', 'This message is of another time.')
  for (let index = 0; index < 3; index += 1)
    await noteRefusal(console.db, { peerId, error, now: new Date().toISOString() })
  const { html } = await console.get(`/settings/peers/${encodeId('peer', peerId)}/keys`)
  assert.match(
    sectionText(html, 'refused'),
    /peer_message_expired This message is of another time\. \d{4}-\d\d-\d\d 3/,
  )
})
