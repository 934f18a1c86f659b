import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { Shell } from './shell.ts'

export type Cell = string | number | null

export interface Output {
  readonly isJson: boolean
  /** A person sits there who can be asked. */
  readonly canAsk: boolean
  /** Lines on stderr may be written over: progress is shown, not logged. */
  readonly isLive: boolean
  /** Of a line on stderr. */
  readonly columns: number
  /** Data, to stdout. */
  print(text: string): void
  json(value: unknown): void
  /** A table for people; piped, one row a line with tabs between and no heading. */
  table(headings: readonly string[], rows: readonly (readonly Cell[])[]): void
  /** Names and values of one thing. */
  facts(rows: readonly (readonly [string, Cell])[]): void
  /** Everything else, to stderr. */
  say(text: string): void
  sayOver(text: string): void
  strong(text: string): string
  faint(text: string): string
}

export interface OutputOptions {
  readonly json: boolean
  readonly input: boolean
}

const noBorders = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} // prettier-ignore

export function createOutput({ env, stdin, stdout, stderr }: Shell, options: OutputOptions): Output {
  const isPlain = Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb'
  const isTable = stdout.isTTY === true
  const paint = (style: 'bold' | 'dim') => (text: string) =>
    isTable && !isPlain ? styleText(style, text, { validateStream: false }) : text
  const print = (text: string) => void stdout.write(`${text}\n`)
  const strong = paint('bold')
  const faint = paint('dim')
  return {
    isJson: options.json,
    canAsk: options.input && stdin.isTTY === true && stderr.isTTY === true,
    isLive: stderr.isTTY === true && env['TERM'] !== 'dumb',
    columns: stderr.columns || 80,
    print,
    json: (value) => print(JSON.stringify(value, undefined, 2)),
    table(headings, rows) {
      if (!isTable) return rows.forEach((row) => print(row.map(toField).join('\t')))
      const table = new Table({
        head: headings.map(strong),
        chars: noBorders,
        style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
      })
      table.push(...rows.map((row) => row.map(toField)))
      print(table.toString())
    },
    facts(rows) {
      const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2
      for (const [name, value] of rows)
        print(isTable ? `${faint(name.padEnd(width))}${toField(value)}` : `${name}\t${toField(value)}`)
    },
    say: (text) => void stderr.write(`${text}\n`),
    sayOver: (text) => void stderr.write(`\r\u001B[2K${text}`),
    strong,
    faint,
  }
}

/** A tab or line break in a value would look like another field or row; other control characters would steer the terminal. */
function toField(cell: Cell): string {
  return cell === null ? '–' : String(cell).replaceAll(/\p{Cc}+/gu, ' ')
}
