import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { freePort } from '#bin/platform/ports.ts'
import { isAlive, tailOf } from '#bin/platform/process.ts'
import { makeAuthority, type Authority } from './certificates.ts'

const run = promisify(execFile)

const startsWithinMs = 60_000
const stopsWithinMs = 30_000

/** A Docker engine of a test's own, which may stop it, fill it and start it again: the engine of the run is everybody's. */
export interface OwnEngine {
  /** `unix://…` */
  readonly host: string
  /** `tcp://127.0.0.1:…`, where only who has a certificate of the authority is let in. */
  readonly address: string
  readonly authority: Authority
  readonly docker: Docker
  /** Containers end with it, as on a host that is switched off. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  /** As when it crashes: it finishes nothing, and what its containers run lives on without it. */
  readonly kill: () => Promise<void>
  /** Ends it and removes all that it has. */
  readonly remove: () => Promise<void>
}

/**
 * It has a data root and sockets of its own, a bridge of its own, and leaves the firewall of the host to the other engine.
 * @param disk the folder that holds its data; left out, one that is removed with it
 */
export async function startOwnEngine({ disk }: { disk?: string } = {}): Promise<OwnEngine> {
  const folder = mkdtempSync(path.join(tmpdir(), 'clouder-engine-'))
  const authority = makeAuthority(path.join(folder, 'certificates'))
  const port = await freePort()
  const bridge = await makeBridge(port)
  const engine = {
    folder,
    disk: disk ?? `${folder}/data`,
    port,
    bridge,
    host: `unix://${folder}/docker.sock`,
    certificates: authority.folder,
  }
  const docker = new Docker({ socketPath: `${folder}/docker.sock` })
  let daemon = await startDaemon(engine, docker)
  const bridges = new Set([bridge])
  const noteBridges = async () => {
    for (const made of await listBridges(docker)) bridges.add(made)
  }
  const stop = async () => {
    await noteBridges()
    await endDaemon(daemon)
  }
  return {
    host: engine.host,
    address: `tcp://127.0.0.1:${port}`,
    authority,
    docker,
    stop,
    async start() {
      daemon = await startDaemon(engine, docker)
    },
    async kill() {
      await noteBridges()
      daemon.kill('SIGKILL')
      await endOfContainerd(folder)
      await exitOf(daemon)
    },
    async remove() {
      await stop()
      await unmountAll(folder)
      for (const one of bridges) await deleteBridge(one)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * An engine that is told to have no bridge removes `docker0`, whosever it is: from then on the other engine on the machine can
 * build no image any more.
 */
async function makeBridge(port: number): Promise<string> {
  // At most 15 characters: it is the name of an interface.
  const name = `own-${port}`
  await run('ip', ['link', 'add', name, 'type', 'bridge'])
  return name
}

/**
 * Of the networks that it has now. An engine that ends leaves their bridges on the host, with their addresses: who gets the same
 * later, on whatever engine, would not be reached.
 */
async function listBridges(docker: Docker): Promise<string[]> {
  const networks = await docker
    .listNetworks({ filters: { driver: ['bridge'], type: ['custom'] } })
    .catch(() => [])
  return networks.map(({ Id: id }) => `br-${id.slice(0, 12)}`)
}

async function deleteBridge(name: string): Promise<void> {
  if (existsSync(`/sys/class/net/${name}`)) await run('ip', ['link', 'delete', name])
}

interface EngineFiles {
  readonly folder: string
  readonly disk: string
  readonly port: number
  readonly bridge: string
  readonly host: string
  readonly certificates: string
}

async function startDaemon(engine: EngineFiles, docker: Docker) {
  const { folder, disk, port, bridge, host, certificates } = engine
  const log = openSync(`${folder}/log`, 'a')
  const options = {
    'data-root': disk,
    'exec-root': `${folder}/exec`,
    pidfile: `${folder}/pid`,
    bridge,
    iptables: 'false',
    ip6tables: 'false',
    tlscacert: `${certificates}/ca.pem`,
    tlscert: `${certificates}/engine.pem`,
    tlskey: `${certificates}/engine.key`,
  }
  const args = [
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    '--tlsverify',
    `--host=${host}`,
    `--host=tcp://127.0.0.1:${port}`,
  ]
  // It ends with the tests, however they end.
  const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', 'dockerd', ...args], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const until = Date.now() + startsWithinMs
  while (!(await answers(docker))) {
    if (daemon.exitCode !== null || Date.now() > until)
      throw new Error(`the engine did not come up:\n${tailOf(`${folder}/log`, 15)}`)
    await sleep(100)
  }
  return daemon
}

async function answers(docker: Docker): Promise<boolean> {
  return await docker.ping().then(
    () => true,
    () => false,
  )
}

async function endDaemon(daemon: ChildProcess): Promise<void> {
  daemon.kill('SIGTERM')
  await exitOf(daemon)
}

async function exitOf(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  await once(daemon, 'exit', { signal: AbortSignal.timeout(stopsWithinMs) })
}

/** It dies with its engine, a moment later: one that nobody has waited for would seem alive to the next engine. */
async function endOfContainerd(folder: string): Promise<void> {
  const pidFile = `${folder}/exec/containerd/containerd.pid`
  if (!existsSync(pidFile)) return
  while (isAlive(Number(readFileSync(pidFile, 'utf8')))) await sleep(10)
  rmSync(pidFile)
}

/** What it has left mounted would keep its folder from being removed. */
async function unmountAll(folder: string): Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((place) => place.startsWith(`${folder}/`))
  for (const place of mounted.toReversed()) await run('umount', ['--lazy', place]).catch(() => {})
}
