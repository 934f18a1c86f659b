import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { decodeId, encodeId } from '#domain/identifier.ts'

/**
 * An API key: `ck_live_<id>_<secret><check>`. The id finds its row, the secret has 192 bits, the check is the CRC32 of
 * all before it in six characters of base 62, so that scanners recognise a key and a typing error costs no query.
 */
const keyPattern = /^ck_(live|test)_([0-9a-z]{26})_([0-9a-f]{48})([0-9A-Za-z]{6})$/
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretBytes = 24

export type KeyMode = 'live' | 'test'

export interface IssuedApiKey {
  /** Shown once; only its hash is kept. */
  readonly text: string
  readonly secretSha256: Buffer
}

/** Makes the text of a key for a row's id. */
export function issueApiKey(request: { id: string; mode: KeyMode }): IssuedApiKey {
  const id = encodeId('apiKey', request.id).slice('key_'.length)
  const head = `ck_${request.mode}_${id}_${randomBytes(secretBytes).toString('hex')}`
  const text = `${head}${checksum(head)}`
  return { text, secretSha256: hashSecret(text) }
}

/** The row's id behind a key's text, or undefined if the text is no key. */
export function readApiKeyId(text: string): string | undefined {
  const [, , id, , check] = keyPattern.exec(text) ?? []
  if (id === undefined || check === undefined || check !== checksum(text.slice(0, -check.length)))
    return undefined
  return decodeId('apiKey', `key_${id}`)
}

/** SHA-256: secrets of 192 and 256 random bits need no slow hash. */
export function hashSecret(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export function isSameSecret(text: string, sha256: Buffer): boolean {
  return timingSafeEqual(hashSecret(text), sha256)
}

function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let position = 0; position < 6; position += 1) {
    digits = `${base62.charAt(rest % 62)}${digits}`
    rest = Math.floor(rest / 62)
  }
  return digits
}
