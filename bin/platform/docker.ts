import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { canInstallPackages, installPackages } from './apt.ts'
import { askEngine } from './engine.ts'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'
import { isAlive, startProcess, stopProcess, tailOf } from './process.ts'
import type { Note } from './progress.ts'

export type DockerEngine = {
  /** In the form DOCKER_HOST takes. */
  host: string
  version: string
  origin: 'found' | 'started'
  /** Ends an engine that this very call started, unless containers run on it; leaves every other one alone. */
  stop(): Promise<void>
}

export type DockerOptions = { logFolder: string; note: Note; env?: NodeJS.ProcessEnv }

const defaultHost = 'unix:///var/run/docker.sock'
const oldestApi = '1.41'
const startTimeoutMs = 60_000

/** A real Docker engine, or undefined where there is none and none can be had: the caller then runs dry. */
export async function ensureDocker(options: DockerOptions): Promise<DockerEngine | undefined> {
  const env = options.env ?? process.env
  const named = env['DOCKER_HOST']
  if (named) return requireNamedEngine(named)
  const problems: unknown[] = []
  for (const host of usualHosts(env)) {
    // A socket that may not be opened matters only when no other one works.
    const engine = await findEngine(host).catch((error: unknown) => void problems.push(error))
    if (engine !== undefined) return engine
  }
  if (problems.length > 0) throw problems[0]
  if (process.platform !== 'linux' || !canInstallPackages()) return undefined
  return startEngine(options)
}

function usualHosts(env: NodeJS.ProcessEnv): string[] {
  const sockets = ['/var/run/docker.sock']
  if (env['XDG_RUNTIME_DIR']) sockets.push(join(env['XDG_RUNTIME_DIR'], 'docker.sock'))
  sockets.push(join(homedir(), '.docker/run/docker.sock'), join(homedir(), '.colima/default/docker.sock'))
  return sockets.filter((path) => existsSync(path)).map((path) => `unix://${path}`)
}

async function requireNamedEngine(host: string): Promise<DockerEngine> {
  const engine = await findEngine(host)
  if (engine !== undefined) return engine
  throw new PlatformProblem({
    found: `DOCKER_HOST is ${host}, and no engine answers there.`,
    wanted: 'A Docker engine that answers at DOCKER_HOST (unix://… or tcp://…), or no DOCKER_HOST at all.',
    command: `DOCKER_HOST=${host} docker version   # or: unset DOCKER_HOST`,
    stillWorks: 'Without DOCKER_HOST the default socket is tried, and without an engine the dry-run runner.',
  })
}

async function findEngine(host: string): Promise<DockerEngine | undefined> {
  const version = await readVersion(host)
  if (version === undefined) return undefined
  if (minorOf(version.ApiVersion) < minorOf(oldestApi)) {
    throw new PlatformProblem({
      found: `The Docker engine at ${host} is ${version.Version} with API ${version.ApiVersion}.`,
      wanted: `API ${oldestApi} or later (Docker 20.10 or later).`,
      command: 'Update Docker, or point DOCKER_HOST at a newer engine.',
      stillWorks: 'CLOUDER_RUNNER=dry-run npm start: ordering and billing without containers.',
    })
  }
  return { host, version: version.Version, origin: 'found', stop: async () => undefined }
}

/** Versions of the API have counted 1.0, 1.1 … 1.9, 1.10 so far: they are no decimal fractions. */
function minorOf(apiVersion: string): number {
  return Number(apiVersion.split('.')[1])
}

async function startEngine(options: DockerOptions): Promise<DockerEngine | undefined> {
  if (!existsSync('/usr/bin/dockerd') && !existsSync('/usr/sbin/dockerd')) {
    await installPackages(['docker.io', 'iptables'], options.note)
  }
  // The package starts the engine by itself where an init system runs.
  const byPackage = existsSync('/run/systemd/system') ? await waitForEngine(10_000, () => true) : undefined
  if (byPackage !== undefined) return byPackage
  mkdirSync(options.logFolder, { recursive: true })
  const logFile = join(options.logFolder, 'dockerd.log')
  const daemon = startProcess({ command: 'dockerd', args: ['--host', defaultHost], logFile })
  // An error to start it shows as a process that is not there.
  daemon.on('error', () => undefined)
  daemon.unref()
  const pid = daemon.pid ?? 0
  options.note('waiting for dockerd; usually under 10 s')
  const engine = await waitForEngine(startTimeoutMs, () => isAlive(pid))
  if (engine === undefined) {
    options.note(`dockerd did not come up; its last words:\n${tailOf(logFile, 5)}`)
    return undefined
  }
  return { ...engine, origin: 'started', stop: () => stopUnlessUsed(engine.host, pid) }
}

async function waitForEngine(
  timeoutMs: number,
  isPossible: () => boolean,
): Promise<DockerEngine | undefined> {
  const until = Date.now() + timeoutMs
  while (Date.now() < until && isPossible()) {
    const engine = await findEngine(defaultHost)
    if (engine !== undefined) return engine
    await sleep(200)
  }
  return undefined
}

async function stopUnlessUsed(host: string, pid: number): Promise<void> {
  const running = await askEngine(host, 'GET', '/containers/json').catch(() => [])
  if (Array.isArray(running) && running.length > 0) return
  await stopProcess(pid, 'SIGTERM', 20_000)
}

async function readVersion(host: string): Promise<{ Version: string; ApiVersion: string } | undefined> {
  try {
    const answer = await askEngine(host, 'GET', '/version')
    if (typeof answer !== 'object' || answer === null) return undefined
    if (!('Version' in answer) || !('ApiVersion' in answer)) return undefined
    return { Version: String(answer.Version), ApiVersion: String(answer.ApiVersion) }
  } catch (error) {
    const isForbidden = error instanceof Error && 'code' in error && error.code === 'EACCES'
    if (!isForbidden) return undefined
    throw new PlatformProblem({
      found: `A Docker socket is at ${host}, but this user may not open it (${messageOf(error)}).`,
      wanted: 'The right to use the Docker engine.',
      command: 'sudo usermod -aG docker "$USER" && newgrp docker   # or run npm start as root',
      stillWorks: 'CLOUDER_RUNNER=dry-run npm start: ordering and billing without containers.',
    })
  }
}
