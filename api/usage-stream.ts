import type { z } from '@hono/zod-openapi'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { BusinessError } from '#domain/errors.ts'
import { toProblem } from './errors.ts'
import { readLines } from './event-lines.ts'
import type { ApiContext } from './frame.ts'
import type { usageBatchResultSchema, UsageStreamLine } from './schemas/usage-event.ts'
import { parseLine } from './sent-event.ts'
import type { UsageIntake } from './usage-intake.ts'
import { countTaken, type IntakeResult } from '#db/usage-placing.ts'

/** Pieces of one stream, of 64 KiB, that wait at once: enough for two transactions, so that one is read while one is written. */
const piecesAtOnce = 32

export type BatchResult = z.infer<typeof usageBatchResultSchema>

/** @param from place of the first of them in what was sent */
export function summarize(results: readonly IntakeResult[], from: number): BatchResult {
  const refused = results.flatMap((result, index) =>
    'refusal' in result ? [{ index: from + index, ...toRefusalJson(result.refusal) }] : [],
  )
  return { ...countTaken(results), refused }
}

function toRefusalJson({ code, message, fields }: BusinessError) {
  return { code, detail: message, pointer: fields[0]?.pointer ?? null }
}

/** Answers piece by piece: a line of the answer says what is on disk, so that an interrupted sender knows where to go on. */
export function answerUsageStream(ctx: ApiContext, intake: UsageIntake, sender: string): Response {
  ctx.header('Content-Type', 'application/x-ndjson')
  ctx.header('X-Accel-Buffering', 'no')
  const { body } = ctx.req.raw
  return stream(ctx, async (out) => {
    const total = { through: 0, stored: 0, duplicates: 0, refused: 0 }
    const report = async (results: IntakeResult[]) => {
      const piece = summarize(results, total.through)
      total.through += results.length
      total.stored += piece.stored
      total.duplicates += piece.duplicates
      total.refused += piece.refused.length
      await writeLine(out, { through: total.through, ...piece })
    }
    try {
      await pump(body ?? [], async (values) => pushPatiently(intake, values, sender), report)
      await writeLine(out, { is_complete: true, ...total })
    } catch (error) {
      const request = { path: ctx.req.path, requestId: ctx.get('requestId') }
      await writeLine(out, { through: total.through, problem: toProblem(error, request) })
    }
  })
}

async function writeLine(out: StreamingApi, line: UsageStreamLine): Promise<void> {
  await out.write(`${JSON.stringify(line)}\n`)
}

/** Reads on while up to `piecesAtOnce` pieces are written, and reports them in their order. */
async function pump(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  push: (values: readonly unknown[]) => Promise<IntakeResult[]>,
  report: (results: IntakeResult[]) => Promise<void>,
): Promise<void> {
  const underWay: Promise<IntakeResult[]>[] = []
  for await (const piece of readLines(body)) {
    const next = underWay.length < piecesAtOnce ? undefined : underWay.shift()
    if (next) await report(await next)
    const pushed = push(piece.map(parseLine))
    // Heard of when its turn comes.
    pushed.catch(() => {})
    underWay.push(pushed)
  }
  for (const pushed of underWay) await report(await pushed)
}

/** A stream is slowed down where a request would be sent away. */
async function pushPatiently(
  intake: UsageIntake,
  values: readonly unknown[],
  sender: string,
): Promise<IntakeResult[]> {
  for (;;) {
    try {
      return await intake.push(values, sender)
    } catch (error) {
      if (!(error instanceof BusinessError) || error.code !== 'too_many_requests') throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
