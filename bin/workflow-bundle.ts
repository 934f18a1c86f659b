import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker'
import { cacheFolder, forgetUnused, withCacheLock } from '#bin/platform/cache.ts'
import { projectFolder } from '#bin/platform/tools.ts'

/** All that a bundle is made of; the lock file says which packages. */
const sources = ['workflows/**/*.ts', 'domain/**/*.ts', 'package-lock.json']

/**
 * The workflows as one file, made once for each content of their sources: bundling takes seconds, and every worker on this machine
 * needs the same. Where nothing can be kept, they are bundled in memory.
 */
export async function bundleWorkflows(): Promise<WorkflowBundleOption> {
  const folder = join(cacheFolder(), 'workflows')
  const codePath = join(folder, `${hashSources()}.js`)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch {
    // What an image was built with is there, and cannot be touched.
    return existsSync(codePath) ? { codePath } : await bundle()
  }
  await withCacheLock(folder, 'workflows', async () => {
    if (touch(codePath)) return
    const { code } = await bundle()
    writeFileSync(`${codePath}.unfinished`, code)
    renameSync(`${codePath}.unfinished`, codePath)
    // With other sources there is other code, too: what was kept of the old is forgotten in time.
    for (const kept of ['workflows', 'compiled', 'pages']) forgetUnused(join(cacheFolder(), kept))
  })
  return { codePath }
}

async function bundle(): Promise<{ code: string }> {
  return await bundleWorkflowCode({
    workflowsPath: join(projectFolder, 'workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  })
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
