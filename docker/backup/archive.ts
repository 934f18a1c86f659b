import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { extract, type Header } from 'tar-stream'

/** What was seen of an archive when its last byte had passed. */
export interface SeenBytes {
  bytes: number
  sha256: string
  /** Its last two blocks are zeros, as every complete archive ends. */
  hasEnd: boolean
}

const END_BYTES = 1024
const TOLD_EACH_MS = 1_000
const STALLED_AFTER_MS = 120_000

/** Passes bytes on one by one chunk, and tells in the end what they were. At most a chunk is held. */
export function watched(
  source: NodeJS.ReadableStream,
  onBytes: (bytes: number) => void,
): { readonly content: Readable; readonly seen: () => SeenBytes } {
  const hash = createHash('sha256')
  let bytes = 0
  let tail = Buffer.alloc(0)
  let sha256: string | undefined
  async function* pass(): AsyncGenerator<Buffer> {
    let toldMs = 0
    for await (const chunk of notStalling(source)) {
      const part = Buffer.from(chunk)
      hash.update(part)
      bytes += part.length
      tail = Buffer.concat([tail, part.subarray(-END_BYTES)]).subarray(-END_BYTES)
      if (performance.now() - toldMs > TOLD_EACH_MS) {
        toldMs = performance.now()
        onBytes(bytes)
      }
      yield part
    }
  }
  const seen = (): SeenBytes => {
    sha256 ??= hash.digest('hex')
    const hasEnd = bytes % 512 === 0 && tail.length === END_BYTES && tail.every((byte) => byte === 0)
    return { bytes, sha256, hasEnd }
  }
  const content = Readable.from(pass(), { objectMode: false })
  // Given up before the first byte was read, the source would stay open.
  content.once('close', () => destroy(source))
  return { content, seen }
}

/** An engine that says nothing for two minutes is not waited for: the step is tried again. */
async function* notStalling(source: NodeJS.ReadableStream): AsyncGenerator<string | Uint8Array> {
  const stalled = (): void => destroy(source, new Error('the stream of the copy stalled'))
  const timer = setTimeout(stalled, STALLED_AFTER_MS)
  try {
    for await (const chunk of source) {
      timer.refresh()
      yield chunk
    }
  } finally {
    clearTimeout(timer)
    destroy(source)
  }
}

function destroy(source: NodeJS.ReadableStream, reason?: Error): void {
  if (source instanceof Readable) source.destroy(reason)
}

/** What an archive holds, told so that two archives of the same files have the same digest. */
export interface ArchiveContent {
  readonly entries: number
  readonly digest: string
}

/**
 * Reads an archive to its end, file by file. Every entry counts with its name, kind, size, rights, owner and content, in any
 * order: their hashes are added up, so that a million files need no more memory than one.
 * @throws when the archive is not one, or ends before its time
 */
export async function readArchive(content: Readable): Promise<ArchiveContent> {
  const entries = content.pipe(extract())
  const failed = Promise.withResolvers<never>()
  content.once('error', (error) => {
    entries.destroy(error)
    failed.reject(error)
  })
  failed.promise.catch(() => undefined)
  let count = 0
  let sum = 0n
  const read = async (): Promise<void> => {
    for await (const entry of entries) {
      const hash = createHash('sha256').update(describe(entry.header))
      await hashContent(entry, hash)
      sum = BigInt.asUintN(256, sum + BigInt(`0x${hash.digest('hex')}`))
      count += 1
    }
  }
  try {
    await Promise.race([read(), failed.promise])
  } finally {
    content.destroy()
  }
  return { entries: count, digest: sum.toString(16) }
}

/** A hard link names another file of the archive; times are left out, because a folder's change as it is filled. */
function describe({ name, type, size, mode, uid, gid, linkname }: Header): string {
  return `${JSON.stringify([name, type, type === 'directory' ? 0 : size, mode, uid, gid, linkname ?? null])}\n`
}

async function hashContent(entry: AsyncIterable<unknown>, hash: Hash): Promise<void> {
  for await (const chunk of entry) if (chunk instanceof Uint8Array) hash.update(chunk)
}
