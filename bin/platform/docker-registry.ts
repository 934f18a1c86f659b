import { existsSync } from 'node:fs'
import { canInstallPackages, installPackages } from './apt.ts'
import type { Note } from './progress.ts'

const places = ['/usr/bin/docker-registry', '/usr/local/bin/docker-registry', '/usr/local/bin/registry']

/** The image registry that tests start on the loopback; undefined where there is none and none can be had. */
export async function ensureDockerRegistry(
  note: Note,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const named = env['CLOUDER_TEST_REGISTRY']
  const find = () => [...(named ? [named] : []), ...places].find((path) => existsSync(path))
  const found = find()
  if (found !== undefined || !canInstallPackages()) return found
  await installPackages(['docker-registry'], note)
  return find()
}
