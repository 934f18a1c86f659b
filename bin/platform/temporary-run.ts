import { chmodSync, existsSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDataFolder, type DataFolder } from './data-folder.ts'
import { claimRun, isRunAlive, type Run } from './run-state.ts'

export interface TemporaryRun {
  readonly data: DataFolder
  readonly run: Run
  /** Once what runs in it is stopped. */
  readonly remove: () => void
}

/**
 * A data folder for one run, which leaves nothing behind. An earlier run under the same prefix that was killed could not clean up
 * after itself: this one does.
 */
export async function claimTemporaryRun(prefix: string): Promise<TemporaryRun> {
  await sweepLeftovers(prefix)
  const folder = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(folder, 0o711)
  return {
    data: ensureDataFolder(folder),
    run: await claimRun(folder),
    remove: () => removeFolder(folder),
  }
}

async function sweepLeftovers(prefix: string): Promise<void> {
  for (const name of globSync(`${prefix}*`, { cwd: tmpdir() })) {
    const folder = join(tmpdir(), name)
    if (!existsSync(join(folder, 'run.json')) || isRunAlive(folder)) continue
    await claimRun(folder)
    removeFolder(folder)
  }
}

function removeFolder(folder: string): void {
  const postgres = join(folder, 'postgres')
  // The cluster may live elsewhere, with only a link here.
  if (existsSync(postgres)) rmSync(realpathSync(postgres), { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
}
