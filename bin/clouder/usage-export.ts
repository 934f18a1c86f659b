import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { usageFailure } from './failure.ts'
import { withSession, type Session } from './session.ts'
import { pathOf } from './subscription-changes.ts'

interface ExportOptions {
  readonly readings?: true
  readonly window?: string
  readonly from?: string
  readonly until?: string
  readonly to?: string
}

/** What was billed of a subscription's usage, for who goes on to reckon with it (D-47). */
export function addExport(group: Command): void {
  group
    .command('export <subscription>')
    .description(
      'billed usage as CSV, to the file or to stdout: the quantities, or what they were measured from',
    )
    .option('--readings', 'each reading and each event, with what it counted')
    .option('--window <window>', 'the readings and events of one usage window')
    .option('--from <date>', 'of what is billed for days from this one on')
    .option('--until <date>', 'only of what begins before this day')
    .option('--to <file>', 'where it is written; left out, stdout')
    .action(withSession<[string], ExportOptions>(writeOut))
}

async function writeOut(
  { api, out, shell }: Session,
  { args: [subscription], options }: { args: [string]; options: ExportOptions },
): Promise<void> {
  const { readings, window, from, until, to } = options
  if (out.isJson && to === undefined)
    throw usageFailure('What is written is CSV.', 'Leave --json out, or say --to a file.')
  const file = readings === true || window !== undefined ? 'readings.csv' : 'windows.csv'
  const given = Object.entries({ window, from, until }).filter((of): of is [string, string] => Boolean(of[1]))
  const query = given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
  const path = `${pathOf(subscription)}/usage/${file}${query}`
  const content = await api.openFile(path)
  // What is not whole is an error: the API breaks the connection where it cannot go on.
  if (to === undefined) return await pipeline(content, shell.stdout, { end: false })
  await pipeline(content, createWriteStream(to, { mode: 0o600 }))
  if (out.isJson) return out.json({ file: to })
  out.say(`  Written to ${to}.`)
}
