import { existsSync } from 'node:fs'
import { canInstallPackages, installPackages } from './apt.ts'
import type { Note } from './progress.ts'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The browser the page tests drive; undefined where there is none and none can be had. */
export async function ensureChromium(
  note: Note,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const named = env['CLOUDER_TEST_CHROMIUM']
  const find = () => [...(named ? [named] : []), ...places].find((path) => existsSync(path))
  const found = find()
  if (found !== undefined || !canInstallPackages()) return found
  await installPackages(['chromium'], note)
  return find()
}
