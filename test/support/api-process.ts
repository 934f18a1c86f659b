import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { freePort } from '#bin/platform/ports.ts'
import { loaderFlags, projectFolder } from '#bin/platform/tools.ts'
import { until, type TestInstallation } from './installation.ts'

/** Several start at once, beside whatever else a machine does. */
const startsWithinMs = 300_000
const shiftedClock = ['--import', pathToFileURL(`${import.meta.dirname}/shifted-clock.ts`).href]

/** The API of an installation as a process of its own, which can be killed and started again, with a clock that is off too. */
export async function startApiProcess(
  installation: Pick<TestInstallation, 'databaseUrl' | 'temporalAddress' | 'temporalNamespace' | 'publicUrl'>,
  keyFile: string,
) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  async function start(clockShiftMs = 0): Promise<void> {
    const started = spawn(process.execPath, [...loaderFlags, ...shiftedClock, 'bin/api.ts'], {
      cwd: projectFolder,
      env: {
        ...process.env,
        CLOUDER_DATABASE_URL: installation.databaseUrl,
        CLOUDER_TEMPORAL_ADDRESS: installation.temporalAddress,
        CLOUDER_TEMPORAL_NAMESPACE: installation.temporalNamespace,
        CLOUDER_PORT: String(port),
        CLOUDER_KEY_FILE: keyFile,
        CLOUDER_PUBLIC_URL: installation.publicUrl,
        CLOUDER_LOG_LEVEL: 'error',
        CLOUDER_TEST_CLOCK_SHIFT_MS: String(clockShiftMs),
      },
      // What it says of cut connections is what is asked of it here.
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    child = started
    const isLive = async () => {
      if (started.exitCode !== null || started.signalCode !== null) return true
      return (await fetch(`${url}/livez`).catch(() => undefined))?.ok
    }
    await until('the API is live', isLive, startsWithinMs)
  }

  async function kill(): Promise<void> {
    const dying = child
    child = undefined
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return
    dying.kill('SIGKILL')
    await once(dying, 'exit')
  }

  await start()
  // One after the other: of two that start at once, nobody would end the first.
  let turn: Promise<unknown> = Promise.resolve()
  async function inTurn(step: () => Promise<void>): Promise<void> {
    const mine = turn.then(step)
    turn = mine.catch(() => undefined)
    await mine
  }

  return {
    /** As whoever listens before it hands it on: to its own port, with all that was said. */
    forward: async (path: string, init: RequestInit) => await fetch(`${url}${path}`, init),
    kill: async () => await inTurn(kill),
    restart: async (clockShiftMs = 0) =>
      await inTurn(async () => {
        await kill()
        await start(clockShiftMs)
      }),
  }
}
