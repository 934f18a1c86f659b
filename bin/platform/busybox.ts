import { openSync, readSync, closeSync, existsSync } from 'node:fs'
import { canInstallPackages, installPackages } from './apt.ts'
import type { Note } from './progress.ts'

const places = ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox']
const dynamicLoaderSegment = 3

/** The static busybox that stand-in images are made of; undefined means the engine must pull a base image. */
export async function ensureBusybox(
  note: Note,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const named = env['CLOUDER_BUSYBOX']
  const found = [...(named ? [named] : []), ...places].find(isStaticBinary)
  if (found !== undefined) return found
  if (process.platform !== 'linux' || !canInstallPackages()) return undefined
  await installPackages(['busybox-static'], note)
  return places.find(isStaticBinary)
}

/** Only a static binary runs in an image that holds nothing else: it names no dynamic loader. */
export function isStaticBinary(path: string): boolean {
  if (!existsSync(path)) return false
  const header = readStart(path, 4096)
  const isElf64 = header.length >= 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2
  if (!isElf64) return false
  const tableAt = Number(header.readBigUInt64LE(32))
  const entrySize = header.readUInt16LE(54)
  const entries = header.readUInt16LE(56)
  for (let entry = 0; entry < entries; entry += 1) {
    const at = tableAt + entry * entrySize
    if (at + 4 > header.length || header.readUInt32LE(at) === dynamicLoaderSegment) return false
  }
  return true
}

function readStart(path: string, size: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(size)
    return buffer.subarray(0, readSync(file, buffer, 0, size, 0))
  } finally {
    closeSync(file)
  }
}
