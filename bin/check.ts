import { availableParallelism } from 'node:os'
import { exitCodeOf, loaderFlags, runTool, runToolQuietly } from '#bin/platform/tools.ts'
import { findTestFiles } from '#bin/platform/test-files.ts'

/** Tests that need no database, no server and no engine: they run in seconds, anywhere. */
const quickTests = ['test/domain', 'test/house', 'test/vectors']

/** What was found formatted is not looked at again until its content changes. */
const keptFormat = ['--cache', '--cache-strategy', 'content', '--cache-location', '.cache/format']

/** The type-aware linter is a program of Go that ends soon: it collects garbage only where there would be too much of it. */
const lintEnv = { GOGC: 'off', GOMEMLIMIT: '4GiB' }

type Check = { title: string; command: string; args: string[]; env?: NodeJS.ProcessEnv }

const help = `
  npm run check [-- options]

  Format, types, lint, unused code, and the tests that need no services; each with its duration.
    --without-tests  leave out the tests
    --all            then run every test as npm test does
`

function listChecks(hasTests: boolean): Check[] {
  const checks: Check[] = [
    { title: 'format', command: 'prettier', args: ['--check', '--log-level', 'warn', ...keptFormat, '.'] },
    { title: 'types', command: 'tsc', args: ['-p', '.'] },
    { title: 'lint', command: 'oxlint', args: ['--type-aware', '--quiet'], env: lintEnv },
    { title: 'unused code', command: 'knip', args: [] },
  ]
  if (!hasTests) return checks
  const args = [
    ...loaderFlags,
    '--test',
    '--test-isolation=none',
    '--test-reporter=dot',
    ...findTestFiles(quickTests),
  ]
  return [...checks, { title: 'quick tests', command: process.execPath, args }]
}

/** Side by side, for most of them use one processor; what one says is shown once it has ended. */
async function runChecks(checks: Check[]): Promise<string[]> {
  const failed: string[] = []
  const waiting = [...checks]
  const runNext = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await runCheck(check))) failed.push(check.title)
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, runNext))
  return failed
}

async function runCheck({ title, command, args, env }: Check): Promise<boolean> {
  const startedAt = Date.now()
  const { code, output } = await runToolQuietly(command, args, env)
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  console.log(`${output}  ${title.padEnd(12)} ${seconds.padStart(6)} s   ${code === 0 ? 'ok' : 'failed'}`)
  return code === 0
}

const args = process.argv.slice(2)
const unknown = args.filter((arg) => !['--all', '--without-tests'].includes(arg))
if (unknown.length > 0) {
  console.log(help)
  process.exit(args.includes('--help') ? 0 : 2)
}
const isAll = args.includes('--all')
const failed = await runChecks(listChecks(!isAll && !args.includes('--without-tests')))
if (failed.length > 0) {
  console.log(
    `\n  failed: ${failed.join(', ')}${failed.includes('format') ? '   (npm run format repairs the format)' : ''}`,
  )
  process.exit(1)
}
if (isAll) process.exit(await exitCodeOf(runTool(process.execPath, [...loaderFlags, 'bin/test.ts'])))
