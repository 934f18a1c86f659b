import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** `_SC_CLK_TCK`: Linux counts in hundredths of a second on every architecture that it shows to programs. */
const ticksPerSecond = 100
const utimeField = 11
const stimeField = 12

export interface Usage {
  /** Milliseconds of processor time used in each second. */
  readonly cpuMsPerSecond: number
  readonly memoryMib: number
}

/** What processes use over a while, in user and kernel mode, and their resident memory at its end. */
export async function measureUsage(pids: readonly number[], durationMs: number): Promise<Usage[]> {
  const before = pids.map(readCpuMs)
  const startedMs = performance.now()
  await sleep(durationMs)
  const seconds = (performance.now() - startedMs) / 1_000
  return pids.map((pid, index) => ({
    cpuMsPerSecond: (readCpuMs(pid) - (before[index] ?? 0)) / seconds,
    memoryMib: readMemoryMib(pid),
  }))
}

function readCpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in brackets, may hold anything; numbers follow it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[utimeField]) + Number(fields[stimeField])
  return (ticks * 1_000) / ticksPerSecond
}

function readMemoryMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kib === undefined) throw new Error(`process ${pid} has no memory of its own: it has ended`)
  return Number(kib) / 1024
}
