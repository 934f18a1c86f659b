import { exitCodes } from './clouder/exit-code.ts'
import { runCommand } from './clouder/run.ts'

/** A reader that has seen enough (`| head`) is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok)
  throw error
})

await runCommand(process, process.argv.slice(2))
