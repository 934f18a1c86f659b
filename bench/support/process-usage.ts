import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** `_SC_CLK_TCK`: Linux counts in hundredths of a second on every architecture that it shows to programs. */
const ticksPerSecond = 100
const utimeField = 11
const stimeField = 12
const parentField = 1

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

/** Milliseconds of processor time that a process has used, in user and kernel mode. */
export function readCpuMs(pid: number): number {
  const fields = readStat(pid)
  const ticks = Number(fields[utimeField]) + Number(fields[stimeField])
  return (ticks * 1_000) / ticksPerSecond
}

/** Its resident memory. */
export function readMemoryMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kib === undefined) throw new Error(`process ${pid} has no memory of its own: it has ended`)
  return Number(kib) / 1024
}

/** The process and those that it started, as PostgreSQL has one for each connection. */
export function readCpuMsOfAll(pid: number): number {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      // One that ends while it is looked at is not missed: what it used, little, is then in no sum.
      try {
        return Number(readStat(candidate)[parentField]) === pid
      } catch {
        return false
      }
    })
  return [pid, ...children].reduce((sum, each) => sum + readCpuMs(each), 0)
}

function readStat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in brackets, may hold anything; numbers follow it.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
