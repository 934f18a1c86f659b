import { Readable } from 'node:stream'
import type { ApiContext } from './frame.ts'

/** What a cell can hold; null leaves it empty. */
export type CsvCell = string | number | boolean | null

/**
 * Rows as RFC 4180 writes them: commas, CRLF after each, quoted where it must be. A text that a spreadsheet would take for
 * a formula gets an apostrophe before it; a number stays a number, also one below 0.
 */
export function toCsv(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(toCell).join(',')}\r\n`).join('')
}

/** With what formulas begin, in any width, and what spreadsheets skip before them. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/
const decimal = /^-?\d+(\.\d+)?$/

function toCell(value: CsvCell): string {
  const text = value === null ? '' : String(value)
  const harmless = formula.test(text) && !decimal.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

export interface CsvFile {
  /** Of the file, without its ending. */
  readonly name: string
  readonly head: readonly string[]
  /** Piece by piece: a file of any length is never whole in memory. */
  readonly pieces: AsyncIterable<readonly (readonly CsvCell[])[]>
}

/** The file as it is read. Where reading fails in its midst the connection breaks: what came is not taken for the whole. */
export function answerCsv(ctx: ApiContext, file: CsvFile): Response {
  ctx.header('Content-Type', 'text/csv; charset=utf-8; header=present')
  ctx.header('Content-Disposition', `attachment; filename="${file.name}.csv"`)
  ctx.header('Cache-Control', 'private, no-store')
  return ctx.body(Readable.toWeb(Readable.from(toChunks(file))) as ReadableStream)
}

async function* toChunks({ head, pieces }: CsvFile): AsyncGenerator<Buffer> {
  yield Buffer.from(toCsv([head]))
  for await (const rows of pieces) if (rows.length > 0) yield Buffer.from(toCsv(rows))
}
