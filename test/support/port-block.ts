import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '#db/database.ts'
import { listRoutes } from '#docker/held-ranges.ts'
import { overlaps } from '#domain/subnet.ts'

const portsOfBlock = 200
const blocks = 60
const firstBlockPort = 20_000
const firstPoolOctet = 192

/** What was taken for the servers of each installation. */
const taken = new WeakMap<Db, string[]>()

/**
 * Gives a server ports and addresses that nobody else on this machine has: installations live beside each other, and what two
 * bridges of one address have is reached on one of them only. They come back with `giveBackPortBlocks`: a run takes more of them than
 * there are.
 */
export async function takePortBlock(db: Db, code = 'local'): Promise<void> {
  const run = process.env['CLOUDER_TEST_RUN']
  if (run === undefined) return
  const { block, folder } = await take(run)
  taken.set(db, [...(taken.get(db) ?? []), folder])
  const firstPort = firstBlockPort + block * portsOfBlock
  await db
    .updateTable('servers')
    .set({ port_range: `[${firstPort},${firstPort + portsOfBlock})`, subnet_pool: poolOf(block) })
    .where('code', '=', code)
    .execute()
}

/** When all that an installation has made is gone. */
export function giveBackPortBlocks(db: Db): void {
  for (const folder of taken.get(db) ?? []) rmSync(folder, { recursive: true })
  taken.delete(db)
}

function poolOf(block: number): string {
  return `10.${firstPoolOctet + block}.0.0/16`
}

/** The next block that nobody has: whoever makes the folder has it. */
async function take(run: string): Promise<{ block: number; folder: string }> {
  const routes = await listRoutes()
  const first = startOf(run)
  for (let number = 0; number < blocks; number += 1) {
    const block = (first + number) % blocks
    if (routes.some(({ range }) => overlaps(range, poolOf(block)))) continue
    const folder = join(tmpdir(), run, `ports-${block}`)
    if (isMade(folder)) return { block, folder }
  }
  throw new Error(`all ${blocks} blocks of ports are taken: some installation of this run was not stopped`)
}

/** Where this run begins: two runs on one machine begin at different blocks. */
function startOf(run: string): number {
  return Array.from(run).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % blocks, 0)
}

function isMade(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
