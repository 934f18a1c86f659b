import type { Command } from 'commander'
import type { Check, Result } from './doctor/check.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'
import { outputOf, type GlobalOptions } from './session.ts'
import { shellOf } from './shell.ts'

const marks: Readonly<Record<Result['state'], string>> = { ok: '✓', warn: '!', fail: '✗', skipped: '–' }

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('look at the machine and the installation, and say what helps')
    .description(
      'Runs every check; none stops the others, none leaves anything changed. Exit code 1: one failed, 7: a warning.',
    )
    .addHelpText('before', 'Examples\n  npx clouder doctor\n  npx clouder doctor --json\n')
    .action(async function (this: Command) {
      const shell = shellOf(this)
      const out = outputOf(shell, this.optsWithGlobals<GlobalOptions>())
      const results = await examine(shell.env)
      if (out.isJson) out.json({ state: worst(results), checks: results })
      else {
        out.table(
          ['', 'check', 'state', 'found'],
          results.map(({ state, name, found }) => [marks[state], name, state, found]),
        )
        tellHelp(out, results)
      }
      shell.exitCode = codes[worst(results)]
    })
}

const codes: Readonly<Record<'ok' | 'warn' | 'fail', ExitCode>> = {
  ok: exitCodes.ok,
  warn: exitCodes.warnings,
  fail: exitCodes.failed,
}

/** The clients of database, Temporal and engine are loaded by this command alone: the others start without them. */
async function examine(env: NodeJS.ProcessEnv): Promise<Result[]> {
  const [{ findPlace }, { runChecks }, ...parts] = await Promise.all([
    import('./doctor/place.ts'),
    import('./doctor/check.ts'),
    import('./doctor/machine.ts').then(({ machineChecks }) => machineChecks),
    import('./doctor/api.ts').then(({ apiChecks }) => apiChecks),
    import('./doctor/database.ts').then(({ databaseChecks }) => databaseChecks),
    import('./doctor/temporal.ts').then(({ temporalChecks }) => temporalChecks),
    import('./doctor/docker.ts').then(({ dockerChecks }) => dockerChecks),
    import('./doctor/host.ts').then(({ hostChecks }) => hostChecks),
  ])
  const place = findPlace(env)
  try {
    return await runChecks(parts.flatMap((checksOf): Check[] => checksOf(place)))
  } finally {
    await place.close()
  }
}

function worst(results: readonly Result[]): 'ok' | 'warn' | 'fail' {
  const states = results.map(({ state }) => state)
  if (states.includes('fail')) return 'fail'
  return states.includes('warn') ? 'warn' : 'ok'
}

function tellHelp(out: Output, results: readonly Result[]): void {
  for (const { state, name, wanted, command } of results) {
    if (state === 'fail' || state === 'warn')
      out.say(`\n  ${name}\n    wanted      ${wanted}\n    what helps  ${command}`)
  }
}
