import { existsSync } from 'node:fs'
import { checkVectorFile, type Verdict } from './check.ts'
import { decisions } from './decisions.ts'

const help = `
  npm run vectors -- FILE…

  Asks the billing engine what worked examples of other engines ask, and compares. Prints counts by kind, what failed
  and why, the decisions by which a rule is not ours, and last a line: N passed, N failed, N by decision.
  Exit code 0 when nothing failed, 1 when something did, 2 when a file could not be read.
    FILE   test/vectors/data/*.json, or any file of the same two formats
`

function count(verdicts: readonly Verdict[], outcome: Verdict['outcome']): number {
  return verdicts.filter((verdict) => verdict.outcome === outcome).length
}

/** In the order of the alphabet, whatever the language of the machine. */
function byKind([first]: readonly [string, unknown], [second]: readonly [string, unknown]): number {
  return first < second ? -1 : 1
}

function print(verdicts: readonly Verdict[]): void {
  const width = Math.max(...verdicts.map((verdict) => verdict.kind.length))
  for (const [kind, ofKind] of [...Map.groupBy(verdicts, (verdict) => verdict.kind)].toSorted(byKind)) {
    const counts = (['passed', 'failed', 'by decision'] as const)
      .map((outcome) => `${String(count(ofKind, outcome)).padStart(4)} ${outcome}`)
      .join('  ')
    console.log(`  ${kind.padEnd(width)} ${counts}`)
  }
  for (const verdict of verdicts.filter(({ outcome }) => outcome === 'failed')) {
    console.log(`\n  failed: ${verdict.id} (${verdict.kind})\n    ${verdict.reason}`)
  }
  const used = new Set(
    verdicts.filter(({ outcome }) => outcome === 'by decision').map(({ reason }) => reason ?? ''),
  )
  for (const decision of [...used].toSorted())
    console.log(`\n  by decision: ${decision}\n    ${decisions[decision]}`)
  console.log(
    `\n${count(verdicts, 'passed')} passed, ${count(verdicts, 'failed')} failed, ${count(verdicts, 'by decision')} by decision`,
  )
}

const files = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
const unreadable = files.filter((file) => !existsSync(file))
if (files.length === 0 || unreadable.length > 0) {
  for (const file of unreadable) console.error(`  There is no file ${file}.`)
  console.log(help)
  process.exit(process.argv.includes('--help') ? 0 : 2)
}
const verdicts: Verdict[] = []
try {
  for (const file of files) verdicts.push(...(await checkVectorFile(file)))
} catch (error) {
  console.error(`  Not a vector file: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
print(verdicts)
process.exit(count(verdicts, 'failed') === 0 ? 0 : 1)
