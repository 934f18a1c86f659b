import { BusinessError } from '#domain/errors.ts'
import type { ApiContext } from './frame.ts'

const largestBytes = 1024 * 1024

/**
 * The JSON body of a request, as text and as value. A POST without a body has none.
 * @throws `media_type_unsupported`, `body_too_large`, `json_malformed`
 */
export async function readBody(ctx: ApiContext): Promise<{ text: string; value: unknown }> {
  const bytes = await readBytes(ctx.req.raw, largestBytes)
  if (bytes.byteLength === 0) return { text: '', value: {} }
  const type = ctx.req.header('content-type') ?? 'none'
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new BusinessError('media_type_unsupported', `Send application/json, not ${type}.`)
  }
  return parseJson(bytes)
}

/**
 * The body of a form is read by its page; here it is only let in or not. Browsers always state its length.
 * @throws `media_type_unsupported`, `body_too_large`
 */
export function refuseForm(ctx: ApiContext): void {
  const type = ctx.req.header('content-type') ?? 'application/x-www-form-urlencoded'
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new BusinessError('media_type_unsupported', `A page takes a form, not ${type}.`)
  }
  const length = ctx.req.header('content-length')
  const isBounded =
    length === undefined ? !ctx.req.header('transfer-encoding') : Number(length) <= largestBytes
  if (!isBounded) throw new BusinessError('body_too_large', `The form is larger than ${largestBytes} bytes.`)
}

/**
 * Bytes as one JSON value.
 * @throws `json_malformed`
 */
export function parseJson(bytes: Uint8Array): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text, value: JSON.parse(text) }
  } catch (error) {
    throw new BusinessError('json_malformed', describe(error), { cause: error })
  }
}

/**
 * Counts while reading: a length that the client states is only a hint.
 * @throws `body_too_large`
 */
export async function readBytes(request: Request, largestBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new BusinessError('body_too_large', `The body is larger than ${largestBytes} bytes.`)
  const stated = request.headers.get('content-length')
  if (stated !== null && Number(stated) <= largestBytes) {
    // The server reads no more than the stated length: read at once, it costs a fraction of what a stream does.
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.byteLength > largestBytes) throw tooLarge()
    return bytes
  }
  if (stated !== null) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > largestBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function describe(error: unknown): string {
  return error instanceof SyntaxError ? `The body is not JSON: ${error.message}` : 'The body is not UTF-8.'
}
