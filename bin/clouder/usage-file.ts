import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { UsageStreamLine } from './answers.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { CommandFailure, usageFailure } from './failure.ts'
import type { Output } from './output.ts'
import { withSession, type Session } from './session.ts'

interface PushFileOptions {
  readonly from: string
}

/** A file of another kind is refused line by line: nobody reads a million of them. */
const refusalsTold = 50

/** Where the sending stands; lines are counted from 1, as editors do. */
interface Progress {
  through: number
  stored: number
  duplicates: number
  refused: number
}

export function registerPushFile(group: Command): void {
  group
    .command('push-file <file>')
    .description('push usage events from a file, one CloudEvent a line, of any length')
    .option('--from <line>', 'the first line to send, when an earlier sending was interrupted', '1')
    .addHelpText(
      'after',
      `
What was answered for is on disk. Interrupted, it says where to go on; sent again from the start, it counts once as well.

A line: {"specversion":"1.0","id":"42","source":"gateway","type":"network","subject":"sub_…",
         "time":"2026-01-31T09:00:00Z","data":{"quantity":"2.5","unit":"GiB"}}
`,
    )
    .action(
      withSession<[string], PushFileOptions>(async (session, { args: [file], options }) => {
        const from = Number(options.from)
        if (!Number.isSafeInteger(from) || from < 1) {
          throw usageFailure(
            `--from ${options.from} is not the number of a line.`,
            'Give the line that an interrupted sending has named, or leave it out.',
          )
        }
        return await pushFile(session, file, from)
      }),
    )
}

async function pushFile({ api, out }: Session, file: string, from: number): Promise<ExitCode> {
  await refuseNoFile(file)
  const progress: Progress = { through: from - 1, stored: 0, duplicates: 0, refused: 0 }
  try {
    for await (const line of api.stream<UsageStreamLine>('/v1/usage-events', linesFrom(file, from))) {
      note(out, progress, { line, from })
    }
  } catch (error) {
    sayWhereToGoOn(out, file, progress)
    throw error
  }
  if (out.isJson) out.json(progress)
  else
    out.facts([
      ['stored', progress.stored],
      ['duplicates', progress.duplicates],
      ['refused', progress.refused],
    ])
  return progress.refused > 0 ? exitCodes.warnings : exitCodes.ok
}

async function refuseNoFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() === true) return
  throw usageFailure(`There is no file ${file}.`, 'Name a file with one event a line.')
}

/** The file from a line on; lines before it were answered for. Empty lines are sent, so that both sides count alike. */
function linesFrom(file: string, from: number): Readable {
  async function* read() {
    const source = createReadStream(file)
    await once(source, 'open')
    let number = 0
    for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (number >= from) yield `${line === '' ? '{}' : line}\n`
    }
  }
  return Readable.from(read(), { objectMode: false })
}

function note(
  out: Output,
  progress: Progress,
  { line, from }: { line: UsageStreamLine; from: number },
): void {
  if ('problem' in line) {
    throw new CommandFailure({
      exitCode: exitCodes.unreachable,
      cause: line.problem.detail,
      fix: line.problem.title,
    })
  }
  if ('is_complete' in line) return
  progress.through = from - 1 + line.through
  progress.stored += line.stored
  progress.duplicates += line.duplicates
  const untold = refusalsTold - progress.refused
  progress.refused += line.refused.length
  if (out.isLive)
    out.sayOver(`line ${progress.through}: ${progress.stored} stored, ${progress.duplicates} duplicates`)
  for (const { index, code, detail } of line.refused.slice(0, Math.max(0, untold)))
    out.say(`line ${from + index}: ${code}: ${detail}`)
  if (untold > 0 && progress.refused > refusalsTold) out.say('… and more')
}

function sayWhereToGoOn(out: Output, file: string, { through }: Progress): void {
  out.say(
    `\n  What is before line ${through + 1} is stored.\n  Next  npx clouder usage push-file ${file} --from ${through + 1}`,
  )
}
