import { accessSync, chmodSync, constants, mkdtempSync, statfsSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

const gib = 2 ** 30
/** For the log of a database server of the tests, which may have one, its databases of some hundred megabytes, and the processes of a run. */
const roomGib = 6

/**
 * Makes a folder for what may be lost with the machine, in memory where there is plenty, with a link to it at `path`. Elsewhere
 * nothing is done, and whoever makes that folder has it on the disk.
 * @returns whether it is in memory
 */
export function linkToMemory(path: string, memory = '/dev/shm', wantedGib = roomGib): boolean {
  if (roomIn(memory) < wantedGib * gib) return false
  const folder = mkdtempSync(join(memory, `clouder-${basename(path)}-`))
  chmodSync(folder, 0o700)
  symlinkSync(folder, path)
  return true
}

function roomIn(memory: string): number {
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    // What the machine could give, and what the group of processes that this one is in may still have.
    return Math.min(bavail * bsize, process.availableMemory())
  } catch {
    return 0
  }
}
