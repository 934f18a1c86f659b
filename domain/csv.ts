import { BusinessError } from './errors.ts'

/**
 * The records of a file as RFC 4180 writes them, with a line feed alone for the end of a line, too; a mark of byte order before it is
 * left out, and lines with nothing on them. A cell is not trimmed.
 * @throws `csv_malformed` for a quote that is not closed, or stands in the midst of a cell
 * @example `a,"b ""c""",\r\n` is one record of the cells a, b "c" and an empty one
 */
export function readCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  cell.lastIndex = text.startsWith('\uFEFF') ? 1 : 0
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const found = cell.exec(text)
    if (found === null)
      throw new BusinessError(
        'csv_malformed',
        `A quote is wrong in record ${records.length + 1}, near “${text.slice(at, at + 20)}”.`,
      )
    const [, quoted, plain = '', end = ''] = found
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',' && cell.lastIndex < text.length) continue
    if (end === ',') record.push('')
    if (record.length > 1 || record[0] !== '') records.push(record)
    record = []
  }
  return records
}
