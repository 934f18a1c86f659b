import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '#db/database.ts'

const portsOfBlock = 200
const blocks = 60
const firstBlockPort = 20_000
const firstPoolOctet = 192

/**
 * Gives a server ports and addresses that no other installation of this test run has: two files run at once, and a
 * range that is drawn by each for itself is sometimes drawn twice.
 */
export async function takePortBlock(db: Db, code = 'local'): Promise<void> {
  const run = process.env['CLOUDER_TEST_RUN']
  if (run === undefined) return
  const block = (startOf(run) + take(join(tmpdir(), run))) % blocks
  const firstPort = firstBlockPort + block * portsOfBlock
  await db
    .updateTable('servers')
    .set({
      port_range: `[${firstPort},${firstPort + portsOfBlock})`,
      subnet_pool: `10.${firstPoolOctet + block}.0.0/16`,
    })
    .where('code', '=', code)
    .execute()
}

/** Where this run begins: two runs on one machine begin at different blocks. */
function startOf(run: string): number {
  return Array.from(run).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % blocks, 0)
}

/** The next number, which nobody else gets: whoever makes the folder has it. */
function take(runFolder: string): number {
  for (let number = 0; ; number += 1) {
    try {
      mkdirSync(join(runFolder, `ports-${number}`))
      return number
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}
