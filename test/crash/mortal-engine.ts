import { spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { askEngine } from '#bin/platform/engine.ts'
import { makeOwnBridge } from '#test/support/own-bridge.ts'
import { startProcess, stopProcess, tailOf } from '#bin/platform/process.ts'

const startTimeoutMs = 30_000

/**
 * A Docker engine of a test's own, with its own socket and data, to be stopped or filled without touching the one that all
 * tests share. It needs `dockerd` and root, as the shared one does where it is started. Everything in this process that asks for no
 * engine by its address gets this one.
 */
export async function startMortalEngine({ dataRoot }: { dataRoot?: string } = {}) {
  // Short: the path of a socket has at most 107 characters.
  const folder = await mkdtemp('/tmp/clouder-mortal-')
  const socket = path.join(folder, 'docker.sock')
  const logFile = path.join(folder, 'dockerd.log')
  const host = `unix://${socket}`
  const bridge = await makeOwnBridge()
  let daemon: ChildProcess

  async function start(): Promise<void> {
    const folders = [
      '--data-root',
      dataRoot ?? path.join(folder, 'data'),
      '--exec-root',
      path.join(folder, 'run'),
    ]
    const apart = [
      '--bridge',
      bridge.name,
      '--iptables=false',
      '--default-address-pool',
      'base=10.213.0.0/16,size=24',
    ]
    const own = ['--host', host, '--pidfile', path.join(folder, 'dockerd.pid')]
    daemon = startProcess({ command: 'dockerd', args: [...own, ...folders, ...apart], logFile })
    const endMs = Date.now() + startTimeoutMs
    for (;;) {
      const isUp = await askEngine(host, 'GET', '/_ping').then(
        () => true,
        () => false,
      )
      if (isUp) return
      if (Date.now() > endMs || daemon.exitCode !== null)
        throw new Error(`dockerd did not come up: ${tailOf(logFile, 8)}`)
      await sleep(50)
    }
  }

  await start()
  process.env['DOCKER_HOST'] = host
  return {
    host,
    folder,
    start,
    /** Its containers end with it. */
    async stop(): Promise<void> {
      await stopProcess(daemon.pid ?? 0, 'SIGTERM', 20_000)
    },
    async remove(): Promise<void> {
      await stopProcess(daemon.pid ?? 0, 'SIGTERM', 20_000)
      unmountAll(folder)
      await bridge.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type MortalEngine = Awaited<ReturnType<typeof startMortalEngine>>

/** What it has left mounted would keep its folder from being removed. */
function unmountAll(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((place) => place.startsWith(folder)).toReversed())
    spawnSync('umount', ['-l', mount])
}
