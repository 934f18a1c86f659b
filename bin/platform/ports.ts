import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { PlatformProblem } from './problem.ts'

const host = '127.0.0.1'
const portsTried = 50
const commandShown = 80

export function isPortFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  )
}

/**
 * A port nobody listens on at this moment. Below the range from which the system takes ports for outgoing
 * connections: one of those could take it between our look and the listener's start.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < portsTried; attempt += 1) {
    const port = randomInt(10_240, 20_000)
    if (await isPortFree(port)) return port
  }
  return listenOnce(0)
}

/** The preferred port if it is free, else the next free one above it: for ports no person has to remember. */
export async function portNear(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + portsTried; port += 1) {
    if (await isPortFree(port)) return port
  }
  return freePort()
}

/** The port a person typed or will type. It is never exchanged for another one behind their back. */
export async function requirePort(port: number, variable: string): Promise<number> {
  if (await isPortFree(port)) return port
  const holder = holderOf(port)
  const other = await portNear(port + 1)
  throw new PlatformProblem({
    found: `Port ${port} is taken${holder === undefined ? '' : ` (${holder})`}.`,
    wanted: `A free port for the console and the API (${variable}).`,
    command: `${variable}=${other} npm start`,
    stillWorks: 'Everything else: only the addresses change. Data in the data folder is not touched.',
  })
}

/** Who listens on the port, as far as this user may see it. */
export function holderOf(port: number): string | undefined {
  const bySs = run('ss', ['-ltnpH', `sport = :${port}`])?.match(/pid=(\d+)/)?.[1]
  const pid = bySs ?? run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'])?.match(/^p(\d+)$/m)?.[1]
  if (pid === undefined) return undefined
  const command = run('ps', ['-o', 'args=', '-p', pid])?.trim().slice(0, commandShown)
  return command ? `pid ${pid}: ${command}` : `pid ${pid}`
}

function run(command: string, args: string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 3_000,
    })
  } catch {
    return undefined
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port was given'))
        else resolve(address.port)
      })
    })
  })
}
