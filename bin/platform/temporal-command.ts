import { execFile } from 'node:child_process'
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { cacheFolder, withCacheLock } from './cache.ts'
import { PlatformProblem } from './problem.ts'
import type { Note } from './progress.ts'

const run = promisify(execFile)

/** The newest version that can also be built from source where downloads are closed. */
const version = '1.5.1'
/** A command built from source calls itself 0.0.0-DEV, so the server inside it is what is compared. */
const oldestServer = { major: 1, minor: 28 }
const connectTimeoutMs = 8_000
const downloadTimeoutMs = 5 * 60_000

/** The `temporal` command: from the PATH, our cache, the official download, or built with Go; in this order. */
export async function ensureTemporalCommand(
  note: Note,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (await isUsable('temporal', env)) return 'temporal'
  const folder = cacheFolder(env)
  const command = join(folder, `temporal-${version}`, 'temporal')
  if (await isUsable(command, env)) return command
  await withCacheLock(folder, `temporal-${version}`, async () => {
    if (existsSync(command) && (await isUsable(command, env))) return
    await fetchCommand(folder, command, note, env)
  })
  return command
}

async function fetchCommand(
  folder: string,
  command: string,
  note: Note,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const scratch = mkdtempSync(join(folder, 'temporal-new-'))
  const failures: string[] = []
  try {
    for (const way of [download, buildWithGo]) {
      try {
        await way(scratch, note, env)
        moveIntoPlace(join(scratch, 'temporal'), command)
        return
      } catch (error) {
        failures.push(reasonOf(error))
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  throw new PlatformProblem({
    found: `There is no \`temporal\` command, and it could not be had: ${failures.join('; ')}.`,
    wanted:
      'The Temporal command line 1.4 or later, a network that lets it be downloaded, or Go to build it.',
    command: `Install it from https://docs.temporal.io/cli, or: go install github.com/temporalio/cli/cmd/temporal@v${version}`,
    stillWorks: 'TEMPORAL_ADDRESS=host:port npm start, if a Temporal server runs somewhere.',
  })
}

async function download(scratch: string, note: Note): Promise<void> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const url = `https://temporal.download/cli/archive/v${version}?platform=${process.platform}&arch=${arch}`
  note(`downloading Temporal ${version}; usually under 30 s`)
  const archive = join(scratch, 'temporal.tar.gz')
  const body = await openDownload(url)
  await pipeline(body, createWriteStream(archive), { signal: AbortSignal.timeout(downloadTimeoutMs) })
  await run('tar', ['-xzf', archive, '-C', scratch, 'temporal'])
}

/** A closed network often swallows packets, so waiting for the first answer is bounded more tightly than the transfer. */
async function openDownload(url: string): Promise<Readable> {
  const connecting = new AbortController()
  const timer = setTimeout(() => connecting.abort(), connectTimeoutMs)
  try {
    const res = await fetch(url, { signal: connecting.signal })
    if (!res.ok || res.body === null) throw new Error(`the download answered ${res.status}`)
    return Readable.fromWeb(res.body)
  } catch (error) {
    throw new Error(`the official download is not reachable (${reasonOf(error)})`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

async function buildWithGo(scratch: string, note: Note, env: NodeJS.ProcessEnv): Promise<void> {
  const go = await findGo(env)
  note(
    `no download, so Temporal ${version} is built with Go; usually 5 to 6 minutes, seconds the second time`,
  )
  await run(go, ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`], {
    env: { ...env, GOBIN: scratch },
    maxBuffer: 64 * 1024 * 1024,
  })
}

async function findGo(env: NodeJS.ProcessEnv): Promise<string> {
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const found = await run(go, ['version'], { env }).catch(() => undefined)
    if (found !== undefined) return go
  }
  throw new Error('there is no Go to build it with')
}

/** A failed command says why in the end of its output, a failed fetch in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('stderr' in error && typeof error.stderr === 'string')
    return error.stderr.trim().split('\n').at(-1) ?? ''
  return error.message === 'fetch failed' && error.cause instanceof Error
    ? error.cause.message
    : error.message
}

/** A rename is atomic: another process sees the old state or the whole new file, never half of one. */
function moveIntoPlace(built: string, command: string): void {
  chmodSync(built, 0o755)
  mkdirSync(dirname(command), { recursive: true })
  renameSync(built, command)
}

async function isUsable(command: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const { stdout } = await run(command, ['--version'], { timeout: 20_000, env })
    const [, major, minor] = /Server (\d+)\.(\d+)/.exec(stdout) ?? []
    return (
      Number(major) > oldestServer.major ||
      (Number(major) === oldestServer.major && Number(minor) >= oldestServer.minor)
    )
  } catch {
    return false
  }
}
