import { createHash } from 'node:crypto'
import {
  globSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { cacheFolder, withCacheLock } from '#bin/platform/cache.ts'
import { projectFolder } from '#bin/platform/tools.ts'

/** All that a bundle is made of; the lock file says which packages. */
const sources = ['workflows/**/*.ts', 'domain/**/*.ts', 'package-lock.json']
/** One that no worker has asked for in so long is of sources that are gone. */
const keptMs = 14 * 24 * 60 * 60_000

/**
 * The workflows as one file, made once for each content of their sources: bundling takes seconds, and every worker on this machine
 * needs the same. @returns the path of a file that is whole
 */
export async function bundleWorkflows(): Promise<{ codePath: string }> {
  const folder = join(cacheFolder(), 'workflows')
  const codePath = join(folder, `${hashSources()}.js`)
  await withCacheLock(folder, 'workflows', async () => {
    if (touch(codePath)) return
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(projectFolder, 'workflows/index.ts'),
      logger: new DefaultLogger('WARN'),
    })
    writeFileSync(`${codePath}.unfinished`, code)
    renameSync(`${codePath}.unfinished`, codePath)
    removeUnused(folder)
  })
  return { codePath }
}

function hashSources(): string {
  const hash = createHash('sha256').update(process.version)
  for (const file of sources.flatMap((pattern) => globSync(pattern, { cwd: projectFolder })).toSorted())
    hash.update(`\0${file}\0`).update(readFileSync(join(projectFolder, file)))
  return hash.digest('hex')
}

/** @returns whether the file is there; it counts as used now */
function touch(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return false
  const now = new Date()
  utimesSync(file, now, now)
  return true
}

function removeUnused(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    const stats = statSync(file, { throwIfNoEntry: false })
    if (stats !== undefined && Date.now() - stats.mtimeMs > keptMs) rmSync(file, { force: true })
  }
}
