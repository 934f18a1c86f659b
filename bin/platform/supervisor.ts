import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess, tailOf } from './process.ts'
import { loaderFlags, projectFolder } from './tools.ts'
import type { Progress } from './progress.ts'
import type { StartContext } from './services.ts'

export type Supervised = {
  name: string
  /** Our entry point, run with this very Node. */
  entry: string
  env: NodeJS.ProcessEnv
  logFile: string
}

type SupervisorContext = Pick<StartContext, 'run' | 'ending' | 'giveUp'> & {
  progress: Pick<Progress, 'line'>
}

const restartsMax = 5
/** A process that lived this long was well; its next death counts as the first again. */
const healthyAfterMs = 120_000

/**
 * Keeps a process of ours running until the start ends: its death is told with the end of its log, and it is
 * started again after 1, 2, 4 … seconds, a few times; then the whole start gives up.
 */
export function supervise(supervised: Supervised, ctx: SupervisorContext, firstWaitMs = 1_000): void {
  const { name, logFile } = supervised
  let restarts = 0
  const start = () => {
    const startedAt = Date.now()
    const args = [...loaderFlags, supervised.entry]
    const child = startProcess({
      command: process.execPath,
      args,
      cwd: projectFolder,
      env: supervised.env,
      logFile,
    })
    if (child.pid !== undefined) ctx.run.addProcess(name, child.pid)
    child.on('error', () => undefined)
    child.once('close', (code, signal) => {
      if (ctx.ending.aborted) return
      if (Date.now() - startedAt > healthyAfterMs) restarts = 0
      void restart(`${name} ended unexpectedly (${signal ?? `exit code ${code}`})`)
    })
  }
  const restart = async (death: string) => {
    ctx.progress.line(`\n  ${death}. Its last words, from ${logFile}:\n${indent(tailOf(logFile))}`)
    if (restarts >= restartsMax) return ctx.giveUp(`${death} and was restarted ${restartsMax} times`)
    const waitMs = firstWaitMs * 2 ** restarts
    restarts += 1
    ctx.progress.line(`  Restarting it in ${waitMs / 1_000} s (${restarts} of ${restartsMax}).`)
    await sleep(waitMs)
    if (!ctx.ending.aborted) start()
    return undefined
  }
  start()
}

function indent(text: string): string {
  return text.replace(/^/gm, '    | ')
}
