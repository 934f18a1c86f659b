import { existsSync } from 'node:fs'
import { canInstallPackages, installPackages } from './apt.ts'
import type { Note } from './progress.ts'

const places = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd', '/usr/local/bin/mariadbd']

/** The MariaDB that tests start on the loopback; undefined where there is none and none can be had. */
export async function ensureMariadb(
  note: Note,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const named = env['CLOUDER_TEST_MARIADB']
  const find = () => [...(named ? [named] : []), ...places].find((path) => existsSync(path))
  const found = find()
  if (found !== undefined || !canInstallPackages()) return found
  // The server alone, 7 MB: neither its clients nor a service that would be started with the machine.
  await installPackages(['mariadb-server-core'], note)
  return find()
}
