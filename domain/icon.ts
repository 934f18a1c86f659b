const greatestBytes = 65_536
const greatestPixels = 512

/** An icon as it is kept, or what stands against it. */
export type ReadIcon = { readonly dataUrl: string } | { readonly reason: string }

const dataUrl = /^data:image\/(?<type>png|jpeg);base64,(?<text>[A-Za-z0-9+/]+={0,2})$/

/**
 * Reads an icon: PNG or JPEG by what its bytes are, at most 64 KiB and 512 pixels each way. Only what the picture is made of is kept:
 * texts, places, programs and whatever follows its end are left out. A drawing in SVG can hold a script, and is none.
 * @param text a data URL
 */
export function readIcon(text: string): ReadIcon {
  const { type, text: encoded } = dataUrl.exec(text)?.groups ?? {}
  if (type === undefined || encoded === undefined)
    return { reason: 'is no data URL of a PNG or JPEG in base64; SVG is not taken' }
  if (encoded.length > Math.ceil(greatestBytes / 3) * 4) return { reason: 'is larger than 64 KiB' }
  const bytes = decode(encoded)
  const picture = bytes && (type === 'png' ? readPng(bytes) : readJpeg(bytes))
  if (picture === undefined) return { reason: `is not the ${type.toUpperCase()} that it says it is` }
  const { width, height, kept } = picture
  if (width < 1 || height < 1 || width > greatestPixels || height > greatestPixels)
    return { reason: `is ${width} by ${height} pixels; it has at most ${greatestPixels} each way` }
  return { dataUrl: `data:image/${type};base64,${kept.toBase64()}` }
}

/** The bytes and the media type of an icon that was read. */
export function iconBytes(url: string): { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> } {
  const { type = 'png', text = '' } = dataUrl.exec(url)?.groups ?? {}
  return { type: `image/${type}`, bytes: Uint8Array.fromBase64(text) }
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(text)
  } catch {
    return undefined
  }
}

interface Picture {
  readonly width: number
  readonly height: number
  readonly kept: Uint8Array
}

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const pngKept = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'])

/** The chunks of a picture, as ISO/IEC 15948 has them: length, name, data, checksum. */
function readPng(bytes: Uint8Array): Picture | undefined {
  if (!pngSignature.every((byte, index) => bytes[index] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kept: Uint8Array[] = [bytes.subarray(0, 8)]
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at)
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (end > bytes.length || (at === 8 && name !== 'IHDR')) return undefined
    if (pngKept.has(name)) kept.push(bytes.subarray(at, end))
    if (name === 'IEND') return { width: view.getUint32(16), height: view.getUint32(20), kept: join(kept) }
    at = end
  }
  return undefined
}

const startOfScan = 0xda
/** Frame headers: those that are not tables or restarts. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
/** What applications wrote into it, and comments. */
const isForeign = (marker: number): boolean => (marker >= 0xe1 && marker <= 0xef) || marker === 0xfe

/** The segments of a picture, as ISO/IEC 10918-1 has them, up to its scan, and that to its end. */
function readJpeg(bytes: Uint8Array): Picture | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kept: Uint8Array[] = [bytes.subarray(0, 2)]
  let size: Pick<Picture, 'width' | 'height'> | undefined
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0
    const end = at + 2 + view.getUint16(at + 2)
    if (bytes[at] !== 0xff || end > bytes.length) return undefined
    if (isFrame(marker) && end - at >= 9)
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    if (marker === startOfScan) {
      const over = bytes.findLastIndex((byte, index) => byte === 0xd9 && bytes[index - 1] === 0xff)
      if (size === undefined || over < end) return undefined
      return { ...size, kept: join([...kept, bytes.subarray(at, over + 1)]) }
    }
    if (!isForeign(marker)) kept.push(bytes.subarray(at, end))
    at = end
  }
  return undefined
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
