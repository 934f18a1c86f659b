import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { iconBytes, readIcon } from '#domain/icon.ts'

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

function png(width: number, height: number, extra: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 0, 0, 0, 0], 8)
  const rows = deflateSync(Buffer.alloc((width + 1) * height))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...extra,
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function jpeg(width: number, height: number, extra: readonly Buffer[] = []): Buffer {
  const frame = Buffer.from([
    0xff,
    0xc0,
    0,
    11,
    8,
    height >> 8,
    height & 255,
    width >> 8,
    width & 255,
    1,
    1,
    0x11,
    0,
  ])
  const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 3, 0xff, 0xd9])
  return Buffer.concat([Buffer.from([0xff, 0xd8]), ...extra, frame, scan])
}

const url = (type: string, bytes: Buffer): string => `data:image/${type};base64,${bytes.toString('base64')}`

test('a PNG keeps its picture, and nothing that was written beside it or after its end', () => {
  const told = chunk('tEXt', Buffer.from('Comment\0<script>alert(1)</script>'))
  const read = readIcon(url('png', Buffer.concat([png(16, 16, [told]), Buffer.from('PK and more')])))
  assert.deepEqual(read, { dataUrl: url('png', png(16, 16)) })
  assert.deepEqual(iconBytes(url('png', png(16, 16))).type, 'image/png')
})

test('a JPEG keeps its picture, and neither comments nor where it was taken', () => {
  const exif = Buffer.from([0xff, 0xe1, 0, 6, 1, 2, 3, 4])
  const comment = Buffer.from([0xff, 0xfe, 0, 4, 65, 66])
  const read = readIcon(url('jpeg', Buffer.concat([jpeg(64, 32, [exif, comment]), Buffer.from('tail')])))
  assert.deepEqual(read, { dataUrl: url('jpeg', jpeg(64, 32)) })
})

const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
for (const [name, text, reason] of [
  ['SVG', `data:image/svg+xml;base64,${svg.toString('base64')}`, /SVG is not taken/],
  ['SVG that says it is PNG', url('png', svg), /is not the PNG that it says it is/],
  ['a JPEG that says it is PNG', url('png', jpeg(16, 16)), /is not the PNG/],
  ['a PNG that is cut off', url('png', png(16, 16).subarray(0, 40)), /is not the PNG/],
  ['an address elsewhere', 'https://example.com/icon.png', /is no data URL/],
  ['513 pixels', url('png', png(513, 1)), /is 513 by 1 pixels/],
  ['no pixels', url('jpeg', jpeg(0, 16)), /is 0 by 16 pixels/],
  ['more than 64 KiB', url('png', Buffer.alloc(65_540)), /is larger than 64 KiB/],
] as const) {
  test(`an icon is refused: ${name}`, () => {
    const read = readIcon(text)
    assert.match('reason' in read ? read.reason : 'taken', reason)
  })
}
