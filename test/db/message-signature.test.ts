import assert from 'node:assert/strict'
import test from 'node:test'
import { isSignedBy, readSignature } from '#db/message-signature.ts'
import { verifierOf } from '#db/peer-key.ts'

/** RFC 9421: the request of appendix B.2, the key of B.1.4, the signature of B.2.6. */
const headers = {
  host: 'example.com',
  date: 'Tue, 20 Apr 2021 02:07:55 GMT',
  'content-type': 'application/json',
  'content-digest':
    'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
  'content-length': '18',
  'signature-input':
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  signature:
    'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
}
const vector = { method: 'POST', url: 'https://example.com/foo?param=Value&Pet=dog', headers }
const spki = Buffer.from('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=', 'base64')
const key = { verify: verifierOf(spki.subarray(-32)) }

test('the vector of RFC 9421 for ed25519 is read and verified', async () => {
  const signature = readSignature(headers)
  assert.deepEqual(
    [...(signature?.fields ?? [])],
    ['date', '@method', '@path', '@authority', 'content-type', 'content-length'],
  )
  assert.deepEqual(Object.fromEntries(signature?.params ?? []), {
    created: 1_618_884_473,
    keyid: 'test-key-ed25519',
  })
  assert.equal(await isSignedBy(vector, key), true)
})

test('the vector with one byte of anything that it signs changed is not verified', async () => {
  const changed = [
    { ...vector, method: 'PUT' },
    { ...vector, url: 'https://example.com/fop?param=Value&Pet=dog' },
    { ...vector, url: 'https://example.org/foo?param=Value&Pet=dog' },
    ...(['date', 'content-type', 'content-length', 'signature-input', 'signature'] as const).map((name) => ({
      ...vector,
      // The tenth character of the signature; of the others a digit or letter at the end of what is signed.
      headers: { ...headers, [name]: flip(headers[name], name === 'signature' ? 15 : -3) },
    })),
  ]
  for (const message of changed) assert.equal(await isSignedBy(message, key), false, JSON.stringify(message))
  const { date: _date, ...dateless } = headers
  assert.equal(await isSignedBy({ ...vector, headers: dateless }, key), false)
})

/** Another letter or digit in place of one. */
function flip(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at
  const other = text[index] === '7' ? '8' : '7'
  return `${text.slice(0, index)}${other}${text.slice(index + 1)}`
}

test('a signature in another form than ours is not read: several, doubled, of parts, of none', () => {
  const input = headers['signature-input']
  const { signature } = headers
  const forms: [string, string][] = [
    [
      `${input}, other${input.slice('sig-b26'.length)}`,
      `${signature}, other${signature.slice('sig-b26'.length)}`,
    ],
    [input, `${signature}, ${signature}`],
    [input, `${signature}, other=:AAAA:`],
    [`${input}, ${input}`, signature],
    [input, signature.replace('sig-b26', 'sig')],
    [input.replace('"date"', '"date";req'), signature],
    [input.replace('"date"', '"date" "date"'), signature],
    [`${input};created=1`, signature],
    [`${input};tag`, signature],
    [input.replace('created=1618884473', 'created=-1'), signature],
    [input.replace('"date" ', ''), ''],
    ['', signature],
    ['sig-b26=();created=1', signature],
    [input, 'sig-b26=AAAA'],
    [input, 'sig-b26=:not base64:'],
  ]
  for (const [signatureInput, text] of forms)
    assert.equal(
      readSignature({ 'signature-input': signatureInput, signature: text }),
      undefined,
      signatureInput,
    )
  assert.equal(readSignature({}), undefined)
})
