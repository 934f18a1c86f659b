import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'
import type { Note } from './progress.ts'

const run = promisify(execFile)
const packageLists = '/var/lib/apt/lists'

/** Whether packages can be installed here without asking anybody: Debian or Ubuntu, as root. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')
}

export async function installPackages(packages: string[], note: Note): Promise<void> {
  note(`installing ${packages.join(', ')} with apt-get; usually under 2 minutes`)
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  try {
    if (!hasPackageLists()) await aptGet(['update'])
    await aptGet(install).catch(async () => {
      // Old package lists name files the mirror no longer has; a fresh list is worth one more try.
      await aptGet(['update'])
      await aptGet(install)
    })
  } catch (error) {
    throw new PlatformProblem(
      {
        found: `apt-get could not install ${packages.join(', ')}: ${lastLine(messageOf(error))}`,
        wanted: 'A reachable Debian or Ubuntu package mirror.',
        command: `apt-get update && apt-get install --no-install-recommends ${packages.join(' ')}`,
        stillWorks: 'Everything that does not need these packages.',
      },
      { cause: error },
    )
  }
}

async function aptGet(args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Another apt at work is waited for instead of failed on.
  await run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, maxBuffer: 64 * 1024 * 1024 })
}

function hasPackageLists(): boolean {
  try {
    return readdirSync(packageLists).some((name) => name.endsWith('_Packages') || name.endsWith('.lz4'))
  } catch {
    return false
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
